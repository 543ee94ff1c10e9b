import { describe, expect, it } from "vitest";
import { appSettings, group } from "./expected";
import { record, tenantId } from "./recording";

describe("secrets", () => {
    const password = "correct horse battery staple";
    const withPassword = record({ config: { databaseAuth: "password", databasePassword: password } });

    it("reach Key Vault alone, in a vault of their own", async () => {
        const { resources, get } = await withPassword;
        const secret = get("azure-native:keyvault:Secret", "players-db-secret");
        expect(secret.inputs).toMatchObject({ ...group, vaultName: "players-db-kv", secretName: "database-password", properties: { value: password } });
        expect(secret.secrets).toEqual(["properties"]);
        expect(resources.filter(({ inputs }) => JSON.stringify(inputs).includes(password))).toEqual([secret]);
        expect(get("azure-native:keyvault:Vault", "players-db-kv").inputs).toMatchObject({
            properties: { tenantId, enableRbacAuthorization: true, enableSoftDelete: true, enablePurgeProtection: true },
        });
    });

    it("are given to the handlers by reference", async () => {
        const recording = await withPassword;
        expect(appSettings(recording)).toMatchObject({
            DATABASE_AUTH: "password",
            DATABASE_PASSWORD: "@Microsoft.KeyVault(SecretUri=https://vault.test/secrets/database-password/1)",
        });
        expect(recording.get("azure-native:web:WebApp", "players-handlers-app").secrets).toEqual([]);
    });

    it("are in no plain output", async () => {
        const { outputs } = await withPassword;
        const plain = Object.entries(outputs).filter(([, { secret }]) => !secret);
        expect(JSON.stringify(plain)).not.toMatch(/correct horse|function-key|master-key|signature/);
        expect(outputs.functionKey).toEqual({ value: "function-key", secret: true });
    });
});
