import { existing } from "../infra/reading-settings";
import { makeModelFolder, subscription, type RecordingOptions } from "../infra/recording";

/** The project's environments, each with its own stack file. */
export const environments = {
    dev: { stack: "dev" },
    prod: { stack: "prod" },
    local: { stack: "local", config: { databasePassword: "hunter2" } },
} as const satisfies Readonly<Record<string, RecordingOptions>>;

export type Environment = keyof typeof environments;

/** An environment with other settings. */
export interface Variant extends RecordingOptions {
    readonly stack: Environment;
    /** The environment whose reasons for failing checks hold for it as well. */
    readonly like: Environment;
    /** What fails besides, for the reason that another environment has. */
    readonly fails?: readonly string[];
}

/** The secret of the password has no end. */
const endless = (vault: string) => ({ fails: [`CKV_AZURE_41 Microsoft.KeyVault/vaults/secrets.${vault}/database-password`] });

const inGroup = (type: string, name: string) => `${subscription}/resourceGroups/ops/providers/Microsoft.${type}/${name}`;
const subnet = (name: string) => inGroup("Network/virtualNetworks", `hub/subnets/${name}`);
const password = { databaseAuth: "password", databasePassword: "hunter2" };

/** What settings add, take away or close differently. */
export const variants: Readonly<Record<string, Variant>> = {
    "dev with a password": { stack: "dev", config: password, like: "local" },
    "prod with a password": { stack: "prod", config: password, like: "prod", ...endless("players-db-kv") },
    "prod with an open network": { stack: "prod", config: { network: "nat" }, like: "dev" },
    "prod that retrains": { stack: "prod", config: { trainingFolder: "players/_labelled", retrainSchedule: "0 0 4 * * 1" }, like: "prod" },
    "prod with a challenger": { stack: "prod", config: { challengerFolder: makeModelFolder("challenger") }, like: "prod" },
    "prod with endpoints that are there": { stack: "prod", config: existing, like: "prod" },
    "prod in what is there": {
        stack: "prod",
        config: {
            ...password,
            existingResourceGroup: "games",
            existingLogWorkspaceId: inGroup("OperationalInsights/workspaces", "logs"),
            existingKeyVaultId: inGroup("KeyVault/vaults", "shared"),
            existingModelVaultId: inGroup("KeyVault/vaults", "models"),
            existingFunctionSubnetId: subnet("functions"),
            existingEndpointSubnetId: subnet("endpoints"),
            existingComputeSubnetId: subnet("compute"),
            existingEgressAddress: "203.0.113.7",
            privateDnsZones: "skip",
            awsTokenAudience: "api://games",
            awsOidcProviderArn: "arn:aws:iam::123456789012:oidc-provider/sts.windows.net/22222222-2222-4222-8222-222222222222/",
        },
        like: "prod",
        ...endless("shared"),
    },
};
