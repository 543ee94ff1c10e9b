import { describe, expect, it } from "vitest";
import { appSettings, group, idOf, inWorkspace } from "./expected";
import { makeModelFolder, modelVersion, record, subscription, tenantId, text } from "./recording";

const recorded = record();

describe("the models", () => {
    const version = (type: string, name: string) => async () => (await recorded).get(`azure-native:machinelearningservices:${type}`, name).inputs;

    it("live in a workspace without stored keys", async () => {
        expect((await recorded).get("azure-native:machinelearningservices:Workspace", "players-ml-workspace").inputs).toMatchObject({
            ...group,
            kind: "Default",
            sku: { name: "Basic" },
            identity: { type: "SystemAssigned" },
            storageAccount: idOf("storage/StorageAccount", "playersruntime"),
            keyVault: idOf("keyvault/Vault", "players-ml-kv"),
            applicationInsights: idOf("applicationinsights/Component", "players-monitoring-insights"),
            containerRegistry: idOf("containerregistry/Registry", "playersmlregistry"),
            systemDatastoresAuthMode: "Identity",
        });
        expect((await recorded).get("azure-native:keyvault:Vault", "players-ml-kv").inputs).toMatchObject({
            properties: { tenantId, enableRbacAuthorization: true, enableSoftDelete: true, enablePurgeProtection: true },
        });
        expect((await recorded).get("azure-native:containerregistry:Registry", "playersmlregistry").inputs).toMatchObject({ adminUserEnabled: false });
        expect((await recorded).get("azure-native:applicationinsights:Component", "players-monitoring-insights").inputs).toMatchObject({
            disableLocalAuth: true,
        });
    });

    it("reach storage through datastores without credentials", async () => {
        const properties = { datastoreType: "AzureBlob", credentials: { credentialsType: "None" }, serviceDataAccessAuthIdentity: "None" };
        expect(await version("Datastore", "players-ml-predictions")()).toMatchObject({
            ...inWorkspace,
            name: "predictions",
            properties: { ...properties, accountName: "playerslake", containerName: "predictions" },
        });
        expect(await version("Datastore", "players-ml-assets")()).toMatchObject({
            ...inWorkspace,
            name: "assets",
            properties: { ...properties, accountName: "playersruntime", containerName: "assets" },
        });
    });

    it("are registered under their content, from files that are uploaded before", async () => {
        const model = (await recorded).get("azure-native:machinelearningservices:ModelVersion", `players-ml-model-${modelVersion}`);
        const code = (await recorded).get("azure-native:machinelearningservices:CodeVersion", "players-ml-code");
        expect(model.inputs).toMatchObject({
            ...inWorkspace,
            name: "player-predictions",
            version: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
            properties: {
                modelType: "custom_model",
                modelUri: `azureml:/${subscription}/resourcegroups/rg/workspaces/ws/datastores/assets/paths/models/${text(model.inputs.version)}`,
            },
        });
        expect(code.inputs).toMatchObject({
            ...inWorkspace,
            name: "player-predictions",
            properties: { codeUri: `https://playersruntime.blob.test/assets/code/${text(code.inputs.version)}` },
        });
        const uploads = (prefix: string) => async () =>
            (await recorded)
                .all("azure-native:storage:Blob")
                .filter(({ inputs }) => text(inputs.blobName).startsWith(prefix))
                .map(({ inputs }) => text(inputs.blobName).slice(prefix.length));
        expect((await uploads(`models/${text(model.inputs.version)}/`)()).sort()).toEqual(["churn.txt", "model.json"]);
        expect(await uploads(`code/${text(code.inputs.version)}/`)()).toEqual(expect.arrayContaining(["batch_score.py", "features.json", "score.py"]));
        expect(model.after).toContain(`players-ml-model-${modelVersion}-model.json`);
        expect(code.after).toContain("players-ml-code-score.py");
    });

    it("answer over HTTP to Entra tokens, with their limits stated and no traffic set", async () => {
        const endpoint = await version("OnlineEndpoint", "players-ml-online")();
        expect(endpoint).toMatchObject({
            ...inWorkspace,
            identity: { type: "UserAssigned", userAssignedIdentities: [idOf("managedidentity/UserAssignedIdentity", "players-ml-online-identity")] },
        });
        expect(endpoint.properties).toEqual({ authMode: "AADToken", publicNetworkAccess: "Enabled" });
        expect(await version("OnlineDeployment", `players-ml-online-deployment-${modelVersion}`)()).toMatchObject({
            ...inWorkspace,
            endpointName: "players-ml-online",
            deploymentName: expect.stringMatching(/^m[0-9a-f]{12}$/) as string,
            sku: { name: "Default", capacity: 1 },
            properties: {
                endpointComputeType: "Managed",
                instanceType: "Standard_F2s_v2",
                codeConfiguration: { scoringScript: "score.py" },
                scaleSettings: { scaleType: "Default" },
                requestSettings: { maxConcurrentRequestsPerInstance: 2, requestTimeout: "PT5S" },
                environmentVariables: { WORKER_COUNT: "2" },
            },
        });
    });

    it("get a new online deployment for another size, and the same one for another count", async () => {
        const deploymentName = async (config: Record<string, string>) =>
            (await record({ config })).get("azure-native:machinelearningservices:OnlineDeployment", `players-ml-online-deployment-${modelVersion}`).inputs.deploymentName;
        const now = (await version("OnlineDeployment", `players-ml-online-deployment-${modelVersion}`)()).deploymentName;
        expect(await deploymentName({ onlineInstanceType: "Standard_F4s_v2" })).not.toBe(now);
        expect(await deploymentName({ onlineInstanceCount: "3" })).toBe(now);
    });

    it("are deployed side by side where several are named, each once, and the live one alone scores the batches", async () => {
        const [challengerFolder, old] = [makeModelFolder("challenger"), makeModelFolder("old")];
        const several = await record({ config: { challengerFolder, challengerMode: "share", challengerPercent: "25", keptModelFolders: JSON.stringify([old, challengerFolder]) } });
        const names = (type: string) => several.all(`azure-native:machinelearningservices:${type}`).map(({ name }) => name);
        const versions = [modelVersion, "challenger", "old"];
        expect(names("ModelVersion")).toEqual(versions.map((each) => `players-ml-model-${each}`));
        expect(names("OnlineDeployment")).toEqual(versions.map((each) => `players-ml-online-deployment-${each}`));
        const deploymentOf = (each: string) => several.get("azure-native:machinelearningservices:OnlineDeployment", `players-ml-online-deployment-${each}`).inputs.deploymentName;
        expect(several.outputs.onlineDeployments?.value).toEqual(Object.fromEntries(versions.map((each) => [each, deploymentOf(each)])));
        expect(appSettings(several)).toMatchObject({
            ONLINE_DEPLOYMENT: deploymentOf(modelVersion),
            MODEL_VERSION: modelVersion,
            CHALLENGER_DEPLOYMENT: deploymentOf("challenger"),
            CHALLENGER_VERSION: "challenger",
            CHALLENGER_MODE: "share",
            CHALLENGER_PERCENT: "25",
        });
        const live = several.get("azure-native:machinelearningservices:ModelVersion", `players-ml-model-${modelVersion}`);
        expect(several.get("azure-native:machinelearningservices:BatchDeployment", "players-ml-batch-deployment").sources.properties).toContain(live.urn);
    });

    it("keep their resources when the settings change places", async () => {
        const [old, fresh] = [makeModelFolder("old"), makeModelFolder("fresh")];
        const deployments = async (modelFolder: string) =>
            (await record({ config: { modelFolder, keptModelFolders: JSON.stringify([old, fresh]) } }))
                .all("azure-native:machinelearningservices:OnlineDeployment")
                .map(({ name, inputs }) => [name, inputs.deploymentName])
                .sort();
        expect(await deployments(fresh)).toEqual(await deployments(old));
    });

    it("score on another cluster where its nodes have another size or network, which Azure changes of none", async () => {
        const cluster = async (config: Record<string, string>) =>
            (await record({ config })).get("azure-native:machinelearningservices:Compute", "players-ml-batch-cluster").inputs.computeName;
        const names = await Promise.all([cluster({}), cluster({ batchMaxNodes: "3" }), cluster({ batchVmSize: "Standard_D4s_v3" }), cluster({ network: "private" })]);
        expect(names[1]).toBe(names[0]);
        expect(new Set(names).size).toBe(3);
    });

    it("score folders on a cluster of no nodes at rest, and write their own files", async () => {
        expect(await version("Compute", "players-ml-batch-cluster")()).toMatchObject({
            ...inWorkspace,
            computeName: expect.stringMatching(/^scoring[0-9a-f]{12}$/) as string,
            identity: { type: "UserAssigned", userAssignedIdentities: [idOf("managedidentity/UserAssignedIdentity", "players-ml-batch-identity")] },
            properties: {
                computeType: "AmlCompute",
                disableLocalAuth: true,
                properties: {
                    vmSize: "Standard_D2s_v3",
                    remoteLoginPortPublicAccess: "Disabled",
                    scaleSettings: { minNodeCount: 0, maxNodeCount: 1, nodeIdleTimeBeforeScaleDown: "PT120S" },
                },
            },
        });
        expect(await version("BatchEndpoint", "players-ml-batch")()).toMatchObject({ ...inWorkspace, properties: { authMode: "AADToken" } });
        expect(await version("BatchDeployment", "players-ml-batch-deployment")()).toMatchObject({
            ...inWorkspace,
            endpointName: "players-ml-batch",
            deploymentName: "predictions",
            properties: {
                model: { referenceType: "Id" },
                codeConfiguration: { scoringScript: "batch_score.py" },
                resources: { instanceCount: 1 },
                outputAction: "SummaryOnly",
                miniBatchSize: 1,
                errorThreshold: -1,
                maxConcurrencyPerInstance: 2,
                retrySettings: { maxRetries: 3, timeout: "PT30M" },
            },
        });
    });

    it("are left alone where endpoints are there already", async () => {
        const existing = await record({
            config: {
                modelFolder: "nowhere",
                existingScoringUri: "https://online.example.com/score",
                existingScoringDeployment: "blue",
                existingBatchUri: "https://batch.example.com/jobs",
                existingBatchDeployment: "green",
                existingOutputDatastore: "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/d",
                existingModelVersion: "2026.1",
            },
        });
        expect(existing.resources.filter(({ type }) => /machinelearning|containerregistry|keyvault/.test(type))).toEqual([]);
        expect(appSettings(existing)).toMatchObject({
            ONLINE_SCORING_URI: "https://online.example.com/score",
            ONLINE_DEPLOYMENT: "blue",
            BATCH_SCORING_URI: "https://batch.example.com/jobs",
            BATCH_DEPLOYMENT: "green",
            BATCH_OUTPUT_DATASTORE: "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/d",
            MODEL_VERSION: "2026.1",
        });
    });

    it("are trained again on the batch cluster, which may write candidates and read nothing new", async () => {
        const training = await record({ config: { trainingFolder: "players/_labelled" } });
        const before = new Set((await recorded).resources.map(({ type, name }) => `${type} ${name}`));
        const added = training.resources.filter(({ type, name }) => !before.has(`${type} ${name}`));
        const names = added.map(({ name }) => name);
        const uploads = names.filter((name) => name.startsWith("players-ml-training-code-"));
        expect(uploads).toEqual(expect.arrayContaining(["train.py", "gate.py", "report_page.py", "search.py", "features.json", "promotions.json"].map((file) => `players-ml-training-code-${file}`)));
        expect(uploads).not.toContain("players-ml-training-code-batch_score.py");
        expect(names.filter((name) => !uploads.includes(name)).sort()).toEqual([
            "players-ml-training-candidates-role",
            "players-ml-training-code",
            "players-ml-training-environment",
            "players-ml-training-models",
            "players-ml-training-verdicts-role",
        ]);
        const ofTraining = (type: string, name: string) => training.get(`azure-native:machinelearningservices:${type}`, name);
        const code = ofTraining("CodeVersion", "players-ml-training-code");
        expect(code.inputs).toMatchObject({
            ...inWorkspace,
            name: "player-predictions-training",
            properties: { codeUri: `https://playersruntime.blob.test/assets/code/${text(code.inputs.version)}` },
        });
        expect(code.after).toContain("players-ml-training-code-train.py");
        expect(ofTraining("EnvironmentVersion", "players-ml-training-environment").inputs).toMatchObject({
            ...inWorkspace,
            name: "player-predictions-training",
            properties: { osType: "Linux", condaFile: expect.stringContaining("optuna==") as string },
        });
        expect(ofTraining("Datastore", "players-ml-training-models").inputs).toMatchObject({
            ...inWorkspace,
            name: "models",
            properties: { accountName: "playerslake", containerName: "models", credentials: { credentialsType: "None" }, serviceDataAccessAuthIdentity: "None" },
        });
        const roleOf = (name: string) => training.get("azure-native:authorization:RoleAssignment", name).inputs;
        const scope = idOf("storage/BlobContainer", "models");
        expect(roleOf("players-ml-training-candidates-role")).toMatchObject({ principalId: "principal-of-players-ml-batch-identity", scope, roleDefinitionId: expect.stringContaining("ba92f5b4") as string });
        expect(roleOf("players-ml-training-verdicts-role")).toMatchObject({ principalId: "principal-of-players-handlers", scope, roleDefinitionId: expect.stringContaining("2a2b9908") as string });
    });

    it("must be trained first", async () => {
        await expect(record({ config: { modelFolder: "no-such-folder" } })).rejects.toThrow(
            "there are no trained models in no-such-folder (player-predictions:modelFolder): run npm run train -- --data FILE",
        );
    });
});
