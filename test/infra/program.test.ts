import { describe, expect, it } from "vitest";
import { idOf } from "./expected";
import { modelVersion, record, type Recording } from "./recording";

const tags = { project: "player-predictions", stack: "dev", profile: "dev", team: "data-platform", "cost-center": "game-analytics" };

/** Everything but Azure ML's uploaded files and the role assignments, which have tests of their own. */
function signature({ resources }: Recording): string[] {
    return resources
        .filter(({ type }) => type !== "azure-native:storage:Blob" && type !== "azure-native:authorization:RoleAssignment")
        .map(({ type, name }) => `${type.replace("azure-native:", "")} ${name}`)
        .sort();
}

const recorded = record();

describe("what the program registers", () => {
    it("is exactly this", async () => {
        expect(signature(await recorded)).toEqual([
            "applicationinsights:Component players-monitoring-insights",
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider players-aws-entra",
            "aws:iam/role:Role players-aws-role",
            "aws:iam/rolePolicy:RolePolicy players-aws-policy",
            "azuread:index/application:Application players-aws-audience",
            "azuread:index/applicationIdentifierUri:ApplicationIdentifierUri players-aws-audience-uri",
            "azuread:index/servicePrincipal:ServicePrincipal players-aws-audience-principal",
            "containerregistry:Registry playersmlregistry",
            "eventgrid:SystemTopic players-lake-events-topic",
            "eventgrid:SystemTopic players-ml-events-topic",
            "eventgrid:SystemTopicEventSubscription players-lake-events-folders-ready",
            "eventgrid:SystemTopicEventSubscription players-lake-events-predictions-ready",
            "eventgrid:SystemTopicEventSubscription players-ml-events-jobs-changed",
            "keyvault:Vault players-ml-kv",
            "machinelearningservices:BatchDeployment players-ml-batch-deployment",
            "machinelearningservices:BatchEndpoint players-ml-batch",
            "machinelearningservices:CodeVersion players-ml-code",
            "machinelearningservices:Compute players-ml-batch-cluster",
            "machinelearningservices:Datastore players-ml-assets",
            "machinelearningservices:Datastore players-ml-predictions",
            "machinelearningservices:EnvironmentVersion players-ml-batch-environment",
            "machinelearningservices:EnvironmentVersion players-ml-online-environment",
            "machinelearningservices:ModelVersion players-ml-model-0123456789ab",
            "machinelearningservices:OnlineDeployment players-ml-online-deployment-0123456789ab",
            "machinelearningservices:OnlineEndpoint players-ml-online",
            "machinelearningservices:Workspace players-ml-workspace",
            "managedidentity:UserAssignedIdentity players-handlers",
            "managedidentity:UserAssignedIdentity players-ml-batch-identity",
            "managedidentity:UserAssignedIdentity players-ml-online-identity",
            "monitor:ScheduledQueryRule players-monitoring-drift-alert",
            "monitor:ScheduledQueryRule players-monitoring-failure-alert",
            "operationalinsights:Workspace players-monitoring-logs",
            "redisenterprise:AccessPolicyAssignment players-cache-access",
            "redisenterprise:Database players-cache-database",
            "redisenterprise:RedisEnterprise players-cache-cluster",
            "resources:Deployment players-handlers-onedeploy",
            "resources:ResourceGroup players-group",
            "storage:BlobContainer players-lake-batches",
            "storage:BlobContainer players-lake-comparisons",
            "storage:BlobContainer players-lake-dead-letters",
            "storage:BlobContainer players-lake-logs",
            "storage:BlobContainer players-lake-models",
            "storage:BlobContainer players-lake-predictions",
            "storage:BlobContainer players-lake-requests",
            "storage:BlobContainer players-lake-runs",
            "storage:BlobContainer players-ml-artifacts",
            "storage:BlobContainer players-runtime-assets",
            "storage:BlobContainer players-runtime-deployed",
            "storage:BlobContainer players-runtime-packages",
            "storage:BlobServiceProperties players-lake-recovery",
            "storage:BlobServiceProperties players-runtime-recovery",
            "storage:ManagementPolicy players-lake-lifecycle",
            "storage:Queue players-lake-folders-ready",
            "storage:Queue players-lake-folders-ready-poison",
            "storage:Queue players-lake-jobs-changed",
            "storage:Queue players-lake-jobs-changed-poison",
            "storage:Queue players-lake-predictions-ready",
            "storage:Queue players-lake-predictions-ready-poison",
            "storage:StorageAccount playerslake",
            "storage:StorageAccount playersruntime",
            "web:AppServicePlan players-handlers-plan",
            "web:WebApp players-handlers-app",
            "web:WebAppFtpAllowed players-handlers-ftp",
            "web:WebAppScmAllowed players-handlers-scm",
        ]);
    });

    it("is the same at every run, at any time of the year and under another order of answers", async () => {
        const comparable = ({ resources }: Recording) =>
            resources
                .filter(({ inputs }) => !("source" in inputs))
                .map(({ type, name, inputs }) => ({ type, name, inputs }))
                .sort((a, b) => (`${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1));
        const again = await record({ now: new Date("2026-11-30T23:00:00Z"), slow: (type) => type.includes("storage") });
        expect(comparable(again)).toEqual(comparable(await recorded));
    });

    it("is there in a preview, where nothing has answered yet", async () => {
        const preview = await record({ preview: true });
        expect(signature(preview)).toEqual(signature(await recorded));
    });

    it("carries the stack's tags wherever a type takes some", async () => {
        const taggable = /StorageAccount|ResourceGroup|UserAssignedIdentity|:Workspace|:Component|Vault$|Registry|:RedisEnterprise$|SystemTopic$|AppServicePlan|WebApp$|Compute$|Endpoint$|(Online|Batch)Deployment$|openIdConnectProvider|ScheduledQueryRule|iam\/role:/;
        const tagged = (await recorded).resources.filter(({ type }) => taggable.test(type));
        expect(tagged.length).toBe(25);
        for (const { name, inputs } of tagged) {
            expect(inputs.tags, name).toEqual(tags);
        }
    });

    it("looks the studio's systems up", async () => {
        const calls = (await recorded).calls.map(({ token, inputs }) => [token, inputs]);
        expect(calls).toEqual(
            expect.arrayContaining([
                ["aws:index/getService:getService", { region: "ap-northeast-2", serviceId: "s3" }],
                ["aws:index/getService:getService", { region: "ap-northeast-2", serviceId: "sts" }],
                ["aws:s3/getBucket:getBucket", { bucket: "starfall-dev-player-logs" }],
                ["aws:rds/getInstance:getInstance", { dbInstanceIdentifier: "starfall-dev-game" }],
            ]),
        );
    });
});

describe("outputs", () => {
    it("say what people need next", async () => {
        const { outputs } = await recorded;
        const plain = Object.fromEntries(Object.entries(outputs).map(([name, { value, secret }]) => [name, secret ? "secret" : value]));
        expect(plain).toEqual({
            predictionsUrl: "https://app.test/api/predictions",
            functionKey: "secret",
            resourceGroup: "players-dev",
            lakeAccount: "playerslake",
            functionApp: "players-handlers-app",
            egressAddress: "",
            awsRoleArn: "arn:aws:iam::123456789012:role/players-aws-role",
            awsTokenAudience: "api://audience-client",
            onlineScoringUri: "https://online.test/score",
            modelVersion,
            onlineDeployments: { [modelVersion]: expect.stringMatching(/^m[0-9a-f]{12}$/) as string },
            listTriggers: "az functionapp function list --resource-group players-dev --name players-handlers-app --output table",
            syncTriggers: `az rest --method post --url https://management.azure.com${idOf("web/WebApp", "players-handlers-app")}/host/default/sync?api-version=2022-03-01`,
        });
    });

    it("read the function key once the package is deployed, which makes the host make it", async () => {
        const { calls } = await record({ slow: (type) => type.endsWith("resources:Deployment") });
        expect(calls.at(-1)?.after).toContain("players-handlers-onedeploy");
    });
});

describe("names", () => {
    it("stay within what the services take, with eight characters for the suffix that makes them unique", async () => {
        const { resources } = await record({ config: { namePrefix: "abcdefghi" } });
        const limits: Record<string, number> = {
            "azure-native:storage:StorageAccount": 24,
            "azure-native:keyvault:Vault": 24,
            "azure-native:machinelearningservices:Workspace": 33,
            "azure-native:machinelearningservices:OnlineEndpoint": 32,
            "azure-native:machinelearningservices:BatchEndpoint": 32,
            "azure-native:containerregistry:Registry": 50,
            "azure-native:redisenterprise:RedisEnterprise": 60,
            "azure-native:web:WebApp": 60,
            "azure-native:web:AppServicePlan": 60,
            "azure-native:eventgrid:SystemTopic": 50,
            "azure-native:managedidentity:UserAssignedIdentity": 128,
        };
        const tooLong = resources.filter(({ type, name }) => name.length + 8 > (limits[type] ?? Infinity));
        expect(tooLong.map(({ name }) => name)).toEqual([]);
        const lowerOnly = resources.filter(({ type }) => /StorageAccount|Registry/.test(type));
        expect(lowerOnly.every(({ name }) => /^[a-z0-9]+$/.test(name))).toBe(true);
    });
});
