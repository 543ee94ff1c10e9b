import { describe, expect, it } from "vitest";
import { readSettings, settingNames } from "../../functions/settings";
import { appSettings, group, idOf, inRuntime } from "./expected";
import { modelVersion, record, subscription } from "./recording";

const recorded = record();

describe("the handlers", () => {
    it("run on Flex Consumption, Node 24, under their identity", async () => {
        const identity = idOf("managedidentity/UserAssignedIdentity", "players-handlers");
        expect((await recorded).get("azure-native:web:AppServicePlan", "players-handlers-plan").inputs).toMatchObject({
            ...group,
            kind: "functionapp",
            reserved: true,
            sku: { name: "FC1", tier: "FlexConsumption" },
        });
        expect((await recorded).get("azure-native:web:WebApp", "players-handlers-app").inputs).toMatchObject({
            ...group,
            kind: "functionapp,linux",
            httpsOnly: true,
            identity: { type: "UserAssigned", userAssignedIdentities: [identity] },
            keyVaultReferenceIdentity: identity,
            functionAppConfig: {
                deployment: {
                    storage: {
                        type: "blobContainer",
                        value: "https://playersruntime.blob.test/deployed",
                        authentication: { type: "UserAssignedIdentity", userAssignedIdentityResourceId: identity },
                    },
                },
                runtime: { name: "node", version: "24" },
                scaleAndConcurrency: { instanceMemoryMB: 512, maximumInstanceCount: 40, alwaysReady: [] },
            },
        });
    });

    it("keep instances warm where the settings say so", async () => {
        const warm = await record({ config: { functionAlwaysReady: "2" } });
        expect(warm.get("azure-native:web:WebApp", "players-handlers-app").inputs).toMatchObject({
            functionAppConfig: { scaleAndConcurrency: { alwaysReady: [{ name: "http", instanceCount: 2 }] } },
        });
    });

    it("get no site setting that Flex Consumption refuses, and take no basic authentication", async () => {
        const { inputs } = (await recorded).get("azure-native:web:WebApp", "players-handlers-app");
        expect(Object.keys(inputs.siteConfig as object).sort()).toEqual(["appSettings", "minTlsVersion"]);
        expect((await recorded).get("azure-native:web:WebAppFtpAllowed", "players-handlers-ftp").inputs).toMatchObject({ allow: false });
        expect((await recorded).get("azure-native:web:WebAppScmAllowed", "players-handlers-scm").inputs).toMatchObject({ allow: false });
    });

    it("get every setting that they read, each valid to them, and the host's own", async () => {
        const given = appSettings(await recorded);
        expect(() => readSettings(given)).not.toThrow();
        const hostOnly = Object.keys(given).filter((name) => !(settingNames as string[]).includes(name));
        expect(hostOnly).toEqual([
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
            "AzureWebJobs.retrain.Disabled",
            "AzureWebJobsStorage__blobServiceUri",
            "AzureWebJobsStorage__clientId",
            "AzureWebJobsStorage__credential",
            "AzureWebJobsStorage__queueServiceUri",
            "AzureWebJobsStorage__tableServiceUri",
        ]);
    });

    it("are told where each part is", async () => {
        expect(appSettings(await recorded)).toEqual({
            APPLICATIONINSIGHTS_AUTHENTICATION_STRING: "ClientId=client-of-players-handlers;Authorization=AAD",
            APPLICATIONINSIGHTS_CONNECTION_STRING: "InstrumentationKey=insights",
            AWS_REGION: "ap-northeast-2",
            AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/players-aws-role",
            AWS_TOKEN_AUDIENCE: "api://audience-client",
            AZURE_CLIENT_ID: "client-of-players-handlers",
            "AzureWebJobs.retrain.Disabled": "true",
            AzureWebJobsStorage__blobServiceUri: "https://playersruntime.blob.test",
            AzureWebJobsStorage__clientId: "client-of-players-handlers",
            AzureWebJobsStorage__credential: "managedidentity",
            AzureWebJobsStorage__queueServiceUri: "https://playersruntime.queue.test",
            AzureWebJobsStorage__tableServiceUri: "https://playersruntime.table.test",
            BATCH_DEPLOYMENT: "predictions",
            BATCH_OUTPUT_DATASTORE: `${subscription}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws/datastores/predictions`,
            BATCH_SCORING_URI: "https://batch.test/jobs",
            DATABASE_AUTH: "iam",
            DATABASE_HOST: "mysql.test",
            DATABASE_NAME: "game",
            DATABASE_PASSWORD: "",
            DATABASE_PORT: "3306",
            DATABASE_USER: "predictions",
            DRIFT_PSI_LIMIT: "0.2",
            DRIFT_SCHEDULE: "0 30 7 * * *",
            DRIFT_UNSEEN_LIMIT: "0.01",
            HOT_PLAYERS: "10000",
            HOT_PLAYERS_TTL_MS: "1000",
            INGEST_SCHEDULE: "0 15 3 * * *",
            Lake__blobServiceUri: "https://playerslake.blob.test",
            Lake__clientId: "client-of-players-handlers",
            Lake__credential: "managedidentity",
            Lake__queueServiceUri: "https://playerslake.queue.test",
            // Twice what the one instance of stack dev works on at a time.
            MODEL_MAX_CALLS: "4",
            MODEL_BATCH_PLAYERS: "1000",
            MODEL_VERSION: modelVersion,
            CHALLENGER_DEPLOYMENT: "",
            CHALLENGER_VERSION: "",
            CHALLENGER_MODE: "shadow",
            CHALLENGER_PERCENT: "10",
            RECORD_PERCENT: "0",
            ONLINE_DEPLOYMENT: expect.stringMatching(/^m[0-9a-f]{12}$/) as string,
            ONLINE_SCORING_URI: "https://online.test/score",
            PREDICTION_FRESH_SECONDS: "3600",
            BATCH_FRESH_SECONDS: "93600",
            PREDICTION_KEEP_SECONDS: "604800",
            RECONCILE_SCHEDULE: "0 */10 * * * *",
            RETRAIN_SCHEDULE: "0 0 3 * * 1",
            REDIS_HOST: "redis.test",
            REDIS_PORT: "10000",
            REDIS_USERNAME: "principal-of-players-handlers",
            REQUEST_DEADLINE_MS: "1000",
            S3_ENDPOINT: "https://s3.aws.test",
            SOURCE_BUCKET: "starfall-dev-player-logs",
            SOURCE_PREFIX: "players/",
            STS_ENDPOINT: "https://sts.aws.test",
            TRAINING_CANDIDATES: "",
            TRAINING_CODE: "",
            TRAINING_COMPUTE: "",
            TRAINING_CURRENT_MODEL: "",
            TRAINING_ENVIRONMENT: "",
            TRAINING_FOLDER: "",
            TRAINING_IDENTITY: "",
            TRAINING_JOBS_URI: "",
            TRAINING_SEARCH_SECONDS: "0",
        });
    });

    it("train the models again where they are told on what, by themselves or when a person has them do it", async () => {
        const trained = { trainingFolder: "players/_labelled", retrainSearchSeconds: "600" };
        const weekly = appSettings(await record({ config: trained }));
        const inDatastore = (path: string) => `azureml:/${subscription}/resourcegroups/rg/workspaces/ws/datastores/${path}`;
        expect(weekly).toMatchObject({
            RETRAIN_SCHEDULE: "0 0 3 * * 1",
            TRAINING_CANDIDATES: inDatastore("models/paths/candidates"),
            TRAINING_CODE: idOf("machinelearningservices/CodeVersion", "player-predictions-training"),
            TRAINING_COMPUTE: idOf("machinelearningservices/Compute", "players-ml-batch-cluster"),
            TRAINING_CURRENT_MODEL: expect.stringMatching(new RegExp(`^${inDatastore("assets/paths/models/")}[0-9a-f]{12}$`)) as string,
            TRAINING_ENVIRONMENT: idOf("machinelearningservices/EnvironmentVersion", "player-predictions-training"),
            TRAINING_FOLDER: "players/_labelled",
            TRAINING_IDENTITY: "client-of-players-ml-batch-identity",
            TRAINING_JOBS_URI: `https://management.azure.com${idOf("machinelearningservices/Workspace", "players-ml-workspace")}/jobs`,
            TRAINING_SEARCH_SECONDS: "600",
        });
        expect(() => readSettings(weekly)).not.toThrow();
        expect(weekly).not.toHaveProperty(["AzureWebJobs.retrain.Disabled"]);

        const byHand = appSettings(await record({ config: { ...trained, retrainSchedule: "" } }));
        // The host wants a schedule of what it does not run, too.
        expect(byHand).toMatchObject({ RETRAIN_SCHEDULE: "0 0 0 1 1 *", "AzureWebJobs.retrain.Disabled": "true", TRAINING_FOLDER: "players/_labelled" });
    });

    it("come as a package named by its content, deployed from one blob that a secret token reads", async () => {
        const { resources, calls, get } = await recorded;
        const blob = get("azure-native:storage:Blob", "players-handlers-package");
        expect(blob.inputs).toMatchObject({ ...inRuntime, containerName: "packages", blobName: "handlers-abababababababab.zip" });
        expect(calls.find(({ token }) => token.endsWith("listStorageAccountServiceSAS"))?.inputs).toEqual({
            ...inRuntime,
            canonicalizedResource: "/blob/playersruntime/packages/handlers-abababababababab.zip",
            resource: "b",
            permissions: "r",
            protocols: "https",
            sharedAccessExpiryTime: "2027-12-31T00:00:00Z",
        });
        const deployment = get("azure-native:resources:Deployment", "players-handlers-onedeploy");
        expect(deployment.inputs).toEqual({
            ...group,
            deploymentName: "onedeploy-abababababababab",
            properties: {
                mode: "Incremental",
                template: {
                    $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                    contentVersion: "1.0.0.0",
                    parameters: { packageUri: { type: "securestring" } },
                    resources: [
                        {
                            type: "Microsoft.Web/sites/extensions",
                            apiVersion: "2022-09-01",
                            name: "players-handlers-app/onedeploy",
                            location: "koreacentral",
                            properties: { packageUri: "[parameters('packageUri')]", remoteBuild: false },
                        },
                    ],
                },
                parameters: {
                    packageUri: { value: "https://playersruntime.blob.test/packages/handlers-abababababababab.zip?sv=1&sig=signature" },
                },
            },
        });
        expect(deployment.secrets).toEqual(["properties"]);
        expect(resources.filter(({ inputs }) => JSON.stringify(inputs).includes("sig=signature"))).toEqual([deployment]);
    });

    it("start only when their rights and what they use are there", async () => {
        const { get, resources } = await record({ slow: (type) => /RoleAssignment|AccessPolicyAssignment|RolePolicy|Subscription/.test(type) });
        const app = get("azure-native:web:WebApp", "players-handlers-app");
        const missing = resources.filter(
            ({ type, name }) => /RoleAssignment|AccessPolicyAssignment|RolePolicy|Subscription/.test(type) && !app.after.has(name),
        );
        expect(missing.map(({ name }) => name)).toEqual([]);
        expect(get("azure-native:resources:Deployment", "players-handlers-onedeploy").after).toContain("players-handlers-app");
    });
});
