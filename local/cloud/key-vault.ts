import { z } from "zod";
import type { AccessControl } from "./access";
import { guidOf } from "./ids";
import { armResource, LocalCloudError, recorded, type CloudService, type Identified, type Registration } from "./resource-type";

const secretInputs = z.object({ vaultName: z.string(), properties: z.object({ value: z.string() }) });
const reference = /^@Microsoft\.KeyVault\(SecretUri=(?<uri>.+)\)$/;

/** Key Vault: secrets in memory, read by app settings that refer to them. */
export class KeyVaultService implements CloudService {
    readonly #secrets = new Map<string, { readonly id: string; readonly value: string }>();

    constructor(private readonly access: AccessControl) {}

    readonly types = {
        "azure-native:keyvault:Vault": recorded(armResource("Microsoft.KeyVault/vaults", "vaultName"), ({ name }) => ({
            properties: { vaultUri: vaultUri(name) },
        })),
        "azure-native:keyvault:Secret": {
            identify: armResource("Microsoft.KeyVault/vaults/secrets", "vaultName", "secretName"),
            create: (registration: Registration, { id, name }: Identified) => {
                const { vaultName, properties } = secretInputs.parse(registration.inputs);
                const secretUri = `${vaultUri(vaultName)}secrets/${name}`;
                const secret = { id, value: properties.value };
                // Another value is another version, and only then: nothing changes from run to run.
                const secretUriWithVersion = `${secretUri}/${guidOf(properties.value).replaceAll("-", "")}`;
                this.#secrets.set(secretUri, secret);
                this.#secrets.set(secretUriWithVersion, secret);
                return { properties: { secretUri, secretUriWithVersion } };
            },
            remove: (registration: Registration, { name }: Identified) => {
                const uri = `${vaultUri(secretInputs.parse(registration.inputs).vaultName)}secrets/${name}`;
                for (const key of [...this.#secrets.keys()].filter((each) => each === uri || each.startsWith(`${uri}/`))) {
                    this.#secrets.delete(key);
                }
            },
        },
    };

    /**
     * The value of an app setting: itself, or the secret that it refers to.
     * @throws LocalCloudError when the secret does not exist or the identity may not read it
     */
    resolve(setting: string, value: string, principalId: string): string {
        const uri = reference.exec(value)?.groups?.uri;
        if (uri === undefined) {
            return value;
        }
        const secret = this.#secrets.get(uri);
        if (secret === undefined) {
            throw new LocalCloudError(`app setting ${setting} refers to ${uri}, which the program did not make`);
        }
        if (!this.access.allows(principalId, "secrets/read", secret.id)) {
            throw new LocalCloudError(`app setting ${setting}: principal ${principalId} has no role to read ${secret.id} (Key Vault Secrets User)`);
        }
        return secret.value;
    }
}

function vaultUri(name: string): string {
    return `https://${name}.vault.azure.net/`;
}
