import { dataHolders } from "../../../infra/data-holders";
import type { Registered } from "../judge";
import { resource, type Cases, type Surroundings } from "./case";

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

const holders = Object.entries(dataHolders).filter(([, { protectedIn }]) => protectedIn !== "nothing");
const inProduction = (type: string, surroundings: Surroundings = {}) => resource(type, { tags: { profile: "prod" } }, surroundings);
const keeper = resource("azure-native:storage:StorageAccount", {}, { protect: true });
const deletable = resource("azure-native:storage:StorageAccount", {});
const within = (other: Registered, type: string, property: string, surroundings: Surroundings = {}) =>
    resource(type, {}, { ...surroundings, sources: { [property]: other } });

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
                what: resource("azure-native:machinelearningservices:BatchDeployment", {
                    properties: { environmentVariables: { CLIENT_SECRET: "x" } },
                }),
                faults: [`the setting CLIENT_SECRET has a secret, by its name, in it: ${remedy}`],
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
            resource("azure-native:storage:StorageAccount", { tags: { project: "player-predictions", stack: "dev", profile: "dev" } }),
            resource("azure-native:storage:Queue", {}),
            resource("aws:iam/rolePolicy:RolePolicy", {}),
            resource("azuread:index/application:Application", {}),
            resource("player-predictions:lake:Lake", {}),
        ],
        bad: [
            {
                what: resource("aws:iam/role:Role", { tags: { project: "player-predictions", profile: "dev" } }),
                faults: [
                    "the tag stack is missing: give the part's tags to it (a type that takes none is listed in infra/policy/rules/tags.ts)",
                ],
            },
            {
                what: resource("azure-native:network:NatGateway", {}),
                faults: ["project", "stack", "profile"].map(
                    (tag) =>
                        `the tag ${tag} is missing: give the part's tags to it (a type that takes none is listed in infra/policy/rules/tags.ts)`,
                ),
            },
        ],
    },
    "data-protected": {
        good: [
            inProduction("azure-native:storage:StorageAccount", { protect: true }),
            // Made again from the sources.
            inProduction("azure-native:containerregistry:Registry"),
            inProduction("azure-native:web:WebApp"),
            resource("azure-native:storage:StorageAccount", { tags: { profile: "dev" } }),
            resource("azure-native:storage:StorageAccount", {}),
        ],
        bad: holders
            .filter(([, { inside }]) => inside === undefined)
            .map(([type]) => ({ what: inProduction(type), faults: ["it can be deleted: set the option protect to true"] })),
    },
    "data-protected-inside": {
        good: [
            [keeper, within(keeper, "azure-native:storage:BlobContainer", "accountName", { protect: true })],
            // Packages and models, which are made again from their sources.
            [keeper, within(keeper, "azure-native:storage:BlobContainer", "accountName", { within: ["player-predictions:runtime:Runtime"] })],
            [keeper, within(keeper, "azure-native:keyvault:Secret", "vaultName")],
            [deletable, within(deletable, "azure-native:storage:Queue", "accountName")],
        ],
        bad: holders.flatMap(([type, { inside }]) =>
            inside === undefined
                ? []
                : [
                      {
                          what: [keeper, within(keeper, type, inside, { within: ["player-predictions:lake:Lake"] })],
                          faults: ["it can be deleted: set the option protect to true"],
                      },
                  ],
        ),
    },
};
