import * as keyvault from "@pulumi/azure-native/keyvault";
import * as pulumi from "@pulumi/pulumi";
import { makeVault } from "../key-vault";
import type { PartArgs } from "../part";
import { assignRole } from "../roles";

export interface DatabasePasswordArgs extends PartArgs {
    readonly tenantId: pulumi.Input<string>;
    /** Object id of the identity that reads it. */
    readonly principalId: pulumi.Input<string>;
    readonly password: pulumi.Input<string>;
    /** ARM id of a vault that is there already; undefined makes one. */
    readonly existingVaultId: string | undefined;
}

/**
 * The database password in a vault of its own: Azure ML administers the vault of its workspace, and whoever administers a vault reads
 * what is in it. The handlers may read this secret and no other, whoever else keeps secrets in the vault.
 */
export class DatabasePassword extends pulumi.ComponentResource {
    /** The app setting's value: App Service puts the secret in its place. Names the version, so that a new password restarts the app. */
    readonly reference: pulumi.Output<string>;

    constructor(name: string, args: DatabasePasswordArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:handlers:DatabasePassword", name, {}, opts);
        const { tags, principalId, password, existingVaultId } = args;

        const inVault = existingVaultId === undefined ? this.ownVault(name, args) : vaultOf(existingVaultId);
        // Written through the management plane: the deployer needs no role inside the vault.
        const secret = new keyvault.Secret(
            `${name}-secret`,
            { ...inVault, secretName: "database-password", properties: { value: pulumi.secret(password), contentType: "password of a MySQL user" }, tags },
            { parent: this },
        );
        assignRole(`${name}-reader-role`, { role: "keyVaultSecretsUser", principalId, scope: secret.id }, { parent: this });

        this.reference = pulumi.interpolate`@Microsoft.KeyVault(SecretUri=${pulumi.unsecret(secret.properties).secretUriWithVersion})`;
        this.registerOutputs({ reference: this.reference });
    }

    private ownVault(name: string, args: DatabasePasswordArgs) {
        return { resourceGroupName: args.resourceGroupName, vaultName: makeVault(`${name}-kv`, args, { parent: this }).name };
    }
}

/** Where a vault is, from its ARM id. */
function vaultOf(id: string): { readonly resourceGroupName: string; readonly vaultName: string } {
    const [, , , , resourceGroupName = "", , , , vaultName = ""] = id.split("/");
    return { resourceGroupName, vaultName };
}
