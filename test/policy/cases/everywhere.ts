import { resource, type Cases } from "./case";

const remedy = "keep it in Key Vault and give a reference, @Microsoft.KeyVault(SecretUri=...), or sign in under an identity";
const withSettings = (settings: Record<string, string>) =>
    resource("azure-native:web:WebApp", {
        siteConfig: { appSettings: Object.entries(settings).map(([name, value]) => ({ name, value })) },
    });
const breaks = (name: string, value: string, what: string) => ({
    what: withSettings({ [name]: value }),
    faults: [`the setting ${name} has ${what} in it: ${remedy}`],
});
const storageKey = `${"aB3+".repeat(21)}xy==`;
const sas = "https://players.blob.core.windows.net/packages/handlers.zip?sv=2025-01-01&sr=b&sig=abc%2Bdef%3D";
const deployment = (type: string) =>
    resource("azure-native:resources:Deployment", {
        properties: { template: { parameters: { packageUri: { type } } }, parameters: { packageUri: { value: sas } } },
    });

export const everywhereCases: Cases = {
    "no-secret-in-settings": {
        good: [
            withSettings({
                DATABASE_PASSWORD: "@Microsoft.KeyVault(SecretUri=https://vault.test/secrets/database-password/1)",
                APPLICATIONINSIGHTS_CONNECTION_STRING:
                    "InstrumentationKey=11111111-1111-4111-8111-111111111111;IngestionEndpoint=https://koreacentral.in.applicationinsights.azure.com/",
                AWS_TOKEN_AUDIENCE: "api://11111111-1111-4111-8111-111111111111",
                Lake__credential: "managedidentity",
                DATABASE_AUTH: "password",
                MODEL_VERSION: "0123456789ab",
            }),
            // An IAM sign-in has none.
            withSettings({ DATABASE_PASSWORD: "" }),
        ],
        bad: [
            breaks("DATABASE_PASSWORD", "hunter2", "a secret, by its name,"),
            breaks("STORAGE_ACCOUNT_KEY", "short", "a secret, by its name,"),
            breaks("RedisConnectionString", "redis.test:10000", "a secret, by its name,"),
            breaks("Lake", `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${storageKey}`, "a connection string with its key"),
            breaks("Package", sas, "a shared access signature (SAS)"),
            breaks("Database", "mysql://predictions:hunter2@mysql.test:3306/game", "an address with a password"),
            breaks("Aws", "AKIAIOSFODNN7EXAMPLE", "an AWS access key"),
            breaks("Certificate", "-----BEGIN RSA PRIVATE KEY-----", "a private key"),
            breaks("Caller", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "a token"),
            breaks("Other", storageKey, "an account's key"),
            {
                what: resource("azure-native:machinelearningservices:OnlineDeployment", {
                    properties: { environmentVariables: { API_KEY: "x", WORKER_COUNT: "2" } },
                }),
                faults: [`the setting API_KEY has a secret, by its name, in it: ${remedy}`],
            },
            {
                what: resource("azure-native:web:WebApp", {
                    siteConfig: { connectionStrings: [{ name: "db", connectionString: "Server=a;Pwd=b" }] },
                }),
                faults: [`the setting db (connection string) has a connection string with its key in it: ${remedy}`],
            },
            {
                what: resource("azure-native:web:WebAppApplicationSettings", { properties: { ACCESS_TOKEN: "x" } }),
                faults: [`the setting ACCESS_TOKEN has a secret, by its name, in it: ${remedy}`],
            },
        ],
    },
    "no-secret-in-deployments": {
        good: [deployment("securestring"), deployment("secureString")],
        bad: [
            {
                what: deployment("string"),
                faults: ["the parameter packageUri has a shared access signature (SAS) in it: declare it as securestring"],
            },
        ],
    },
    tagged: {
        good: [
            resource("azure-native:storage:StorageAccount", { tags: { project: "player-predictions", stack: "dev" } }),
            resource("azure-native:storage:Queue", {}),
            resource("aws:iam/rolePolicy:RolePolicy", {}),
            resource("azuread:index/application:Application", {}),
            resource("player-predictions:lake:Lake", {}),
        ],
        bad: [
            {
                what: resource("aws:iam/role:Role", { tags: { project: "player-predictions" } }),
                faults: [
                    "the tag stack is missing: give the part's tags to it (a type that takes none is listed in infra/policy/rules/tags.ts)",
                ],
            },
            {
                what: resource("azure-native:network:NatGateway", {}),
                faults: ["project", "stack"].map(
                    (tag) =>
                        `the tag ${tag} is missing: give the part's tags to it (a type that takes none is listed in infra/policy/rules/tags.ts)`,
                ),
            },
        ],
    },
    "data-protected": {
        good: [
            resource("azure-native:storage:StorageAccount", {}, { stack: "dev" }),
            resource("azure-native:storage:StorageAccount", {}, { stack: "production-like" }),
            resource("azure-native:storage:StorageAccount", {}, { stack: "prod", protect: true }),
            resource("azure-native:storage:BlobContainer", {}, { stack: "prod", within: ["player-predictions:runtime:Runtime"] }),
            resource("azure-native:web:WebApp", {}, { stack: "prod" }),
        ],
        bad: ["prod", "prod-eu"].flatMap((stack) =>
            ["storage:StorageAccount", "storage:BlobContainer", "redisenterprise:Database"].map((type) => ({
                what: resource(`azure-native:${type}`, {}, { stack, within: ["player-predictions:lake:Lake"] }),
                faults: ["it can be deleted: set the option protect to true"],
            })),
        ),
    },
};
