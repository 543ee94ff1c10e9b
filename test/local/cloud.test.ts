import { readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { AnonymousCredential, BlobServiceClient, RestError, StorageSharedKeyCredential } from "@azure/storage-blob";
import type { TokenCredential } from "@azure/identity";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalCloud } from "../../local/cloud/cloud";
import type { Identified } from "../../local/cloud/resource-type";
import type { Studio } from "../../local/cloud/studio";
import { openWorkshop } from "../../local/parts/workshop";
import { roleIds, World, type Registered } from "./world";

let world: World;
let account: Registered;
let caller: Registered;
let stranger: Registered;

function blobsAs(credential: TokenCredential | AnonymousCredential | StorageSharedKeyCredential) {
    const client = new BlobServiceClient(world.storage.byName("lake").blobEndpoint, credential, { retryOptions: { maxTries: 1 } });
    return client.getContainerClient("logs");
}

/** The code of Azure Storage's error with which a call was refused. */
async function refusalOf(call: Promise<unknown>): Promise<string | undefined> {
    const error: unknown = await call.then(
        () => new Error("it was not refused"),
        (refusal: unknown) => refusal,
    );
    if (!(error instanceof RestError) || error.statusCode !== 403) {
        throw error;
    }
    return error.response?.headers.get("x-ms-error-code");
}

beforeAll(async () => {
    world = await World.start();
    caller = await world.identityNamed("caller");
    stranger = await world.identityNamed("stranger");
    account = await world.account("lake", "logs");
    await world.register("storage:Queue", "ready", { accountName: "lake", queueName: "ready" });
});

afterAll(() => world?.stop());

test("a type or a function that it does not know is refused by its name", async () => {
    const whole = await openWorkshop(path.join(world.dir, "whole"));
    const cloud = await LocalCloud.start(whole, {} as Studio);
    await expect(cloud.register({ type: "azure-native:cosmosdb:Account", name: "new", inputs: {} })).rejects.toThrow(
        /does not know the resource type azure-native:cosmosdb:Account \("new"\)/,
    );
    await expect(cloud.call("aws:ec2/getAmi:getAmi", {})).rejects.toThrow(/does not know the function aws:ec2\/getAmi:getAmi/);
    await whole.stop();
});

describe("storage", () => {
    test("a principal does what its role allows on its scope, and nothing else", async () => {
        const denied = "AuthorizationPermissionMismatch";
        expect(await refusalOf(blobsAs(world.credentialOf(caller)).getBlockBlobClient("a").upload("x", 1))).toBe(denied);
        const container = `${account.id}/blobServices/default/containers/logs`;
        await world.assign(caller, roleIds.blobContributor, container);
        await world.assign(stranger, roleIds.blobReader, `${container}-of-others`);
        await blobsAs(world.credentialOf(caller)).getBlockBlobClient("a").upload("x", 1);
        expect(await refusalOf(blobsAs(world.credentialOf(stranger)).getBlockBlobClient("a").getProperties())).toBe(denied);
        await world.assign(stranger, roleIds.blobReader, container);
        expect((await blobsAs(world.credentialOf(stranger)).getBlockBlobClient("a").downloadToBuffer()).toString()).toBe("x");
        expect(await refusalOf(blobsAs(world.credentialOf(stranger)).getBlockBlobClient("b").upload("x", 1))).toBe(denied);
    });

    test("keys, anonymous callers and tokens for other services are refused", async () => {
        const key = new StorageSharedKeyCredential("lake", world.storage.byName("lake").key);
        expect(await refusalOf(blobsAs(key).getBlobClient("a").getProperties())).toBe("KeyBasedAuthenticationNotPermitted");
        expect(await refusalOf(blobsAs(new AnonymousCredential()).getBlobClient("a").getProperties())).toBe("PublicAccessNotPermitted");
        const other = world.credentialOf(caller, "https://management.azure.com");
        expect(await refusalOf(blobsAs(other).getBlobClient("a").getProperties())).toBe("AuthenticationFailed");
    });

    test("a subscription needs the topic's role on the queue, and then delivers what its filter wants", async () => {
        const topic = await world.register("eventgrid:SystemTopic", "topic", {
            systemTopicName: "topic",
            source: account.id,
            identity: { type: "SystemAssigned" },
        });
        const subscription = {
            systemTopicName: "topic",
            eventSubscriptionName: "ready",
            eventDeliverySchema: "EventGridSchema",
            deliveryWithResourceIdentity: {
                identity: { type: "SystemAssigned" },
                destination: { endpointType: "StorageQueue", resourceId: account.id, queueName: "ready" },
            },
            filter: {
                subjectBeginsWith: "/blobServices/default/containers/logs/",
                subjectEndsWith: "/_SUCCESS",
                advancedFilters: [{ operatorType: "StringIn", key: "data.api", values: ["PutBlob", "PutBlockList"] }],
            },
        };
        const add = () => world.register("eventgrid:SystemTopicEventSubscription", "ready", subscription);
        await expect(add()).rejects.toThrow(/no role to send to it/);
        const { principalId } = topic.identity as { principalId: string };
        await world.assign({ ...topic, principalId }, roleIds.queueSender, `${account.id}/queueServices/default/queues/ready`);
        await add();

        const container = blobsAs(world.credentialOf(caller));
        await container.getBlockBlobClient("day 1/한국.csv").upload("x", 1);
        const put = await container.getBlockBlobClient("day 1/_SUCCESS").upload("", 0);
        const staged = container.getBlockBlobClient("day 2/_SUCCESS");
        await staged.stageBlock("MDAw", "y", 1);
        await staged.commitBlockList(["MDAw"]);

        const { receivedMessageItems } = await world.storage.byName("lake").queues.getQueueClient("ready").receiveMessages({ numberOfMessages: 10 });
        const events = receivedMessageItems.map(
            ({ messageText }) => JSON.parse(Buffer.from(messageText, "base64").toString()) as { subject: string; data: { api: string; eTag: string } },
        );
        expect(events.map(({ subject, data }) => [subject, data.api])).toEqual([
            ["/blobServices/default/containers/logs/blobs/day 1/_SUCCESS", "PutBlob"],
            ["/blobServices/default/containers/logs/blobs/day 2/_SUCCESS", "PutBlockList"],
        ]);
        expect(events[0]?.data.eTag).toBe(put.etag?.replaceAll('"', ""));
    });
});

describe("Azure ML", () => {
    /** A model whose answer takes a while: the sleep is the model's work, in seconds, from the request. */
    const score = [
        "import json, time",
        "def init():",
        "    pass",
        "def run(data):",
        "    time.sleep(json.loads(data)['seconds'])",
        "    return {'done': True}",
    ].join("\n");
    const batchScore = [
        "import os, pathlib",
        "def init():",
        "    pass",
        "def run(files):",
        "    for file in map(pathlib.Path, files):",
        "        if 'broken' in file.name:",
        "            raise ValueError(f'{file.name} is broken')",
        "        (pathlib.Path(os.environ['AZUREML_BI_OUTPUT_PATH']) / f'{file.stem}.csv').write_text(file.read_text().upper())",
        "    return list(files)",
    ].join("\n");
    let codeId: string;
    let modelId: string;
    let workspace: Identified;

    beforeAll(async () => {
        workspace = await world.workspace("predictions");
        await world.upload({
            "code/1/score.py": new pulumi.asset.StringAsset(score),
            "code/1/batch_score.py": new pulumi.asset.StringAsset(batchScore),
            "models/m1/model.json": new pulumi.asset.StringAsset("{}"),
        });
        codeId = await world.code("code/1");
        const version = { workspaceName: "ml", version: "1" };
        const modelUri = `azureml:/${workspace.id}/datastores/assets/paths/models/m1`;
        modelId = (await world.register("machinelearningservices:ModelVersion", "model", { ...version, name: "model", properties: { modelUri } })).id;
    });

    test("an online endpoint checks token, role and deployment, and keeps Azure ML's limits", async () => {
        const endpoint = await world.register("machinelearningservices:OnlineEndpoint", "online", {
            workspaceName: "ml",
            endpointName: "online",
            properties: { authMode: "AADToken" },
        });
        await world.register("machinelearningservices:OnlineDeployment", "blue", {
            workspaceName: "ml",
            endpointName: "online",
            deploymentName: "blue",
            sku: { capacity: 1 },
            properties: {
                model: modelId,
                codeConfiguration: { codeId, scoringScript: "score.py" },
                requestSettings: { maxConcurrentRequestsPerInstance: 1, requestTimeout: "PT1S" },
            },
        });
        const { scoringUri } = endpoint.properties as { scoringUri: string };
        const ask = async (seconds: number, headers: Record<string, string>): Promise<number> => {
            const answer = await fetch(scoringUri, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ seconds }) });
            await answer.arrayBuffer();
            return answer.status;
        };
        const token = async (principal: Registered, audience = "https://ml.azure.com") => ({
            authorization: `Bearer ${await world.identity.issue(String(principal.clientId), audience)}`,
        });
        const blue = { "azureml-model-deployment": "blue" };
        expect(await ask(0, blue)).toBe(401);
        expect(await ask(0, { ...(await token(caller, "https://storage.azure.com")), ...blue })).toBe(401);
        expect(await ask(0, { ...(await token(caller)), ...blue })).toBe(403);
        await world.assign(caller, roleIds.dataScientist, workspace.id);
        const allowed = await token(caller);
        expect(await ask(0, allowed)).toBe(404);
        expect(await ask(0, { ...allowed, ...blue })).toBe(200);
        expect(await ask(8, { ...allowed, ...blue })).toBe(408);
        // One works on for its eight seconds, as Azure ML's does after a time-out; one more may wait, and the next is refused.
        const waiting = ask(0, { ...allowed, ...blue });
        expect(await ask(0, { ...allowed, ...blue })).toBe(429);
        expect(await waiting).toBe(408);
    });

    test("a batch job writes as the cluster's identity, keeps its good files, and fails for a file that its script refuses", async () => {
        const cluster = await world.identityNamed("cluster");
        await world.register("storage:BlobContainer", "predictions", { accountName: "lake", containerName: "predictions" });
        const containers = `${account.id}/blobServices/default/containers`;
        await world.assign(cluster, roleIds.blobReader, `${containers}/logs`);
        const compute = await world.cluster(cluster);
        const endpoint = await world.register("machinelearningservices:BatchEndpoint", "batch", { workspaceName: "ml", endpointName: "batch", properties: {} });
        await world.register("machinelearningservices:BatchDeployment", "predictions", {
            workspaceName: "ml",
            endpointName: "batch",
            deploymentName: "predictions",
            properties: {
                model: { referenceType: "Id", assetId: modelId },
                compute: compute.id,
                codeConfiguration: { codeId, scoringScript: "batch_score.py" },
                outputAction: "SummaryOnly",
                miniBatchSize: 1,
                retrySettings: { maxRetries: 1 },
                errorThreshold: 0,
            },
        });
        const logs = blobsAs(world.credentialOf(caller));
        await logs.getBlockBlobClient("day 3/한 국.txt").upload("abc", 3);
        await logs.getBlockBlobClient("day 4/good.txt").upload("abc", 3);
        await logs.getBlockBlobClient("day 4/broken.txt").upload("abc", 3);
        const { scoringUri } = endpoint.properties as { scoringUri: string };
        const headers = {
            authorization: `Bearer ${await world.identity.issue(String(caller.clientId), "https://ml.azure.com")}`,
            "azureml-model-deployment": "predictions",
        };
        const runJob = async (folder: string): Promise<{ status: string; log: string }> => {
            const answer = await fetch(scoringUri, {
                method: "POST",
                headers,
                body: JSON.stringify({
                    properties: {
                        InputData: { folder: { JobInputType: "UriFolder", Uri: `${world.storage.byName("lake").blobEndpoint}/logs/${encodeURIComponent(folder)}` } },
                        OutputData: { predictions: { JobOutputType: "UriFolder", Uri: `azureml:${workspace.id}/datastores/predictions/paths/${folder}/job/` } },
                    },
                }),
            });
            expect(answer.status).toBe(201);
            const { name } = (await answer.json()) as { name: string };
            let status = "Running";
            await expect
                .poll(async () => {
                    const asked = await fetch(`${scoringUri}/${name}`, { headers });
                    const job = (await asked.json()) as { properties: { status: string; outputData: object } };
                    expect(job.properties.outputData).toMatchObject({ predictions: { uri: expect.stringContaining(`/paths/${folder}/job/`) as string } });
                    ({ status } = job.properties);
                    return status;
                }, { timeout: 60_000 })
                .not.toBe("Running");
            return { status, log: readFileSync(path.join(world.dir, "logs", `${name}.log`), "utf8") };
        };

        expect(await runJob("day 3")).toMatchObject({ status: "Failed", log: expect.stringContaining("blob/write") as string });
        await world.assign(cluster, roleIds.blobContributor, `${containers}/predictions`);
        expect(await runJob("day 3")).toMatchObject({ status: "Completed" });
        expect(await runJob("day 4")).toMatchObject({ status: "Failed", log: expect.stringContaining("broken.txt is broken") as string });

        const predictions = world.storage.byName("lake").blobs.getContainerClient("predictions");
        expect((await predictions.getBlobClient("day 3/job/한 국.csv").downloadToBuffer()).toString()).toBe("ABC");
        expect((await predictions.getBlobClient("day 4/job/good.csv").downloadToBuffer()).toString()).toBe("ABC");
        expect((await fetch(`${scoringUri}/nothing`, { headers })).status).toBe(404);
    });
});
