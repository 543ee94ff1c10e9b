import * as keyvault from "@pulumi/azure-native/keyvault";
import * as pulumi from "@pulumi/pulumi";
import { vaultDefaults } from "../key-vault";
import type { PartArgs } from "../part";
import { assignRole } from "../roles";

export interface DatabasePasswordArgs extends PartArgs {
    readonly tenantId: pulumi.Input<string>;
    /** Object id of the identity that reads it. */
    readonly principalId: pulumi.Input<string>;
    readonly password: pulumi.Input<string>;
}

/**
 * The database password in a vault of its own: Azure ML administers the vault of its workspace, and whoever administers a vault reads
 * what is in it.
 */
export class DatabasePassword extends pulumi.ComponentResource {
    /** The app setting's value: App Service puts the secret in its place. Names the version, so that a new password restarts the app. */
    readonly reference: pulumi.Output<string>;

    constructor(name: string, args: DatabasePasswordArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:handlers:DatabasePassword", name, {}, opts);
        const { resourceGroupName, tags, tenantId, principalId, password } = args;

        const vault = new keyvault.Vault(
            `${name}-kv`,
            { resourceGroupName, properties: { ...vaultDefaults, tenantId }, tags },
            { parent: this },
        );
        assignRole(`${name}-reader-role`, { role: "keyVaultSecretsUser", principalId, scope: vault.id }, { parent: this });
        // Written through the management plane: the deployer needs no role inside the vault.
        const secret = new keyvault.Secret(
            `${name}-secret`,
            { resourceGroupName, vaultName: vault.name, secretName: "database-password", properties: { value: pulumi.secret(password) }, tags },
            { parent: this },
        );

        this.reference = pulumi.interpolate`@Microsoft.KeyVault(SecretUri=${pulumi.unsecret(secret.properties).secretUriWithVersion})`;
        this.registerOutputs({ reference: this.reference });
    }
}
