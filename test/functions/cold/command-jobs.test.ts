import type { machinelearningservices } from "@pulumi/azure-native/types/input";
import { beforeEach, describe, expect, test } from "vitest";
import { CommandJobsError, type CommandJobSubmission, createCommandJobs, propertiesOf } from "../../../functions/clients/command-jobs";
import { type BatchAnswer, type BatchServer, jobBody, startBatchServer } from "./batch-server";

const workspace = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w";
const submission: CommandJobSubmission = {
    experiment: "retraining",
    description: "Trains again.",
    command: "python train.py",
    codeId: `${workspace}/codes/c/versions/1`,
    environmentId: `${workspace}/environments/e/versions/1`,
    computeId: `${workspace}/computes/scoring`,
    identityClientId: "3f1e4b6a-7c1d-4a5e-9a63-0d2f5a1b7c01",
    inputs: { players: "https://lake.example/logs/players" },
    outputs: { candidate: "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/models/paths/candidates/a" },
    timeoutSeconds: 3_600,
};

describe("the workspace's jobs", () => {
    let server: BatchServer;
    beforeEach(async () => {
        server = await startBatchServer();
        return () => server.stop();
    });

    function jobs() {
        return createCommandJobs(server.uri, { getToken: (scope) => Promise.resolve({ token: `token for ${String(scope)}`, expiresOnTimestamp: 0 }) });
    }

    test("take a command job as Azure Resource Manager has it", async () => {
        server.answer = () => ({ status: 201, body: jobBody("a b", "Queued") });
        expect(await jobs().submit("a b", submission)).toEqual({ name: "a b", status: "Queued" });
        const [request] = server.requests;
        expect(request).toMatchObject({
            method: "PUT",
            url: "/jobs/a%20b?api-version=2025-12-01",
            headers: { authorization: "Bearer token for https://management.azure.com/.default", "content-type": "application/json" },
        });
        // The SDK's own type of the body: what is misnamed or missing does not compile.
        const properties: machinelearningservices.CommandJobArgs = propertiesOf("a b", submission);
        expect(JSON.parse(request?.body ?? "")).toEqual({ properties });
        expect(properties).toEqual({
            jobType: "Command",
            displayName: "a b",
            experimentName: "retraining",
            description: "Trains again.",
            command: "python train.py",
            codeId: submission.codeId,
            environmentId: submission.environmentId,
            computeId: submission.computeId,
            identity: { identityType: "Managed", clientId: submission.identityClientId },
            inputs: { players: { jobInputType: "uri_folder", mode: "ReadOnlyMount", uri: submission.inputs.players } },
            outputs: { candidate: { jobOutputType: "uri_folder", mode: "ReadWriteMount", uri: submission.outputs.candidate } },
            limits: { jobLimitsType: "Command", timeout: "PT3600S" },
        });
    });

    test("tell a job's state, and that there is none", async () => {
        server.answer = () => ({ status: 200, body: jobBody("a", "Running") });
        expect(await jobs().find("a")).toEqual({ name: "a", status: "Running" });
        expect(server.requests[0]).toMatchObject({ method: "GET", url: "/jobs/a?api-version=2025-12-01" });
        server.answer = () => ({ status: 404, body: "no such job" });
        expect(await jobs().find("b")).toBeUndefined();
    });

    test.each([400, 409])("that has the name already (%s) is given, and any other refusal is told", async (status) => {
        server.answer = ({ method }) => (method === "PUT" ? { status, body: "A job with this name already exists." } : { status: 200, body: jobBody("a", "Running") });
        expect(await jobs().submit("a", submission)).toEqual({ name: "a", status: "Running" });
        server.answer = ({ method }) => (method === "PUT" ? { status, body: "no such compute" } : { status: 404, body: "" });
        await expect(jobs().submit("a", submission)).rejects.toThrow(new RegExp(`^PUT .*/jobs/a\\?.* was answered with status ${status}: no such compute$`));
    });

    test.each<[string, BatchAnswer, number | undefined, boolean]>([
        ["refuses the identity", { status: 403, body: "" }, 403, false],
        ["is throttled", { status: 429, body: "" }, 429, true],
        ["fails", { status: 503, body: "" }, 503, true],
        ["hangs up", "hangUp", undefined, true],
        ["answers with something else", { status: 200, body: "<html>" }, undefined, true],
    ])("of a workspace that %s give a typed error", async (_name, answer, status, retryable) => {
        server.answer = () => answer;
        for (const failure of [await failureOf(jobs().submit("a", submission)), await failureOf(jobs().find("a"))]) {
            expect(failure).toBeInstanceOf(CommandJobsError);
            expect(failure).toMatchObject({ status, retryable });
        }
    });
});

function failureOf(call: Promise<unknown>): Promise<unknown> {
    return call.catch((error: unknown) => error);
}
