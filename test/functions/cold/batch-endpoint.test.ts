import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BatchEndpointError, createBatchEndpoint } from "../../../functions/clients/batch-endpoint";
import { type BatchAnswer, type BatchServer, jobBody, startBatchServer } from "./batch-server";

const datastore = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/predictions";

describe("the batch endpoint", () => {
    let server: BatchServer;
    beforeEach(async () => {
        server = await startBatchServer();
    });
    afterEach(() => server.stop());

    function endpoint() {
        return createBatchEndpoint(
            { BATCH_SCORING_URI: server.uri, BATCH_DEPLOYMENT: "blue", BATCH_OUTPUT_DATASTORE: datastore },
            { getToken: (scope) => Promise.resolve({ token: `token for ${String(scope)}`, expiresOnTimestamp: 0 }) },
        );
    }

    test("is given the folder, an output folder, the deployment and an Entra token", async () => {
        const inputUri = "https://lake.example/logs/players/dt=2026-01-31";
        const job = await endpoint().submit({ inputUri, outputPath: "players/dt=2026-01-31/0123456789abcdef" });
        expect(job).toEqual({ name: "job-1", status: "Queued" });
        const [request] = server.requests;
        expect(request).toMatchObject({
            method: "POST",
            url: "/jobs",
            headers: {
                authorization: "Bearer token for https://ml.azure.com/.default",
                "azureml-model-deployment": "blue",
                "content-type": "application/json",
            },
        });
        expect(JSON.parse(request?.body ?? "")).toEqual({
            properties: {
                InputData: { folder: { JobInputType: "UriFolder", Uri: inputUri } },
                OutputData: {
                    predictions: {
                        JobOutputType: "UriFolder",
                        Uri: `azureml:${datastore}/paths/players/dt=2026-01-31/0123456789abcdef/`,
                    },
                },
            },
        });
    });

    test("tells a job's state", async () => {
        server.answer = () => ({ status: 200, body: jobBody("a b", "Completed") });
        expect(await endpoint().get("a b")).toEqual({ name: "a b", status: "Completed" });
        expect(server.requests[0]).toMatchObject({ method: "GET", url: "/jobs/a%20b" });
        server.answer = () => ({ status: 200, body: jobBody("c", "Running", "players/dt=2026-01-31/0123456789abcdef") });
        expect(await endpoint().get("c")).toEqual({ name: "c", status: "Running", outputPath: "players/dt=2026-01-31/0123456789abcdef" });
    });

    test.each<[string, BatchAnswer, number | undefined, boolean]>([
        ["refuses the job", { status: 400, body: "no such folder" }, 400, false],
        ["refuses the identity", { status: 403, body: "" }, 403, false],
        ["is throttled", { status: 429, body: "" }, 429, true],
        ["fails", { status: 500, body: "" }, 500, true],
        ["redirects", { status: 302, body: "" }, 302, false],
        ["hangs up", "hangUp", undefined, true],
        ["answers with something else", { status: 200, body: "<html>" }, undefined, true],
    ])("that %s gives a typed error", async (_name, answer, status, retryable) => {
        server.answer = () => answer;
        const failure: unknown = await endpoint()
            .submit({ inputUri: "https://lake.example/logs/a", outputPath: "a/b" })
            .catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(BatchEndpointError);
        expect(failure).toMatchObject({ status, retryable });
    });
});
