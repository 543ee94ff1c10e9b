import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BatchEndpoint, BatchEndpointError, createBatchEndpoint } from "../../../functions/clients/batch-endpoint";
import { type BlobCreated, MessageError, parseBlobCreated } from "../../../functions/events/blob-created";
import { BatchBusyError, batchKey, type BatchState } from "../../../functions/score/batch-state";
import { folderUri, scoreReadyFolder } from "../../../functions/score/score";
import { type BatchServer, startBatchServer } from "./batch-server";
import { eventOf } from "./events";
import { mortal } from "./mortal";
import { type ColdParts, startColdParts } from "./parts";

const folder = "players/dt=2026-01-31";

describe("score", () => {
    let parts: ColdParts;
    let server: BatchServer;
    let endpoint: BatchEndpoint;
    let clock: number;
    beforeAll(async () => {
        parts = await startColdParts();
    });
    afterAll(() => parts.stop());
    beforeEach(async () => {
        await parts.clear();
        server = await startBatchServer();
        endpoint = createBatchEndpoint(
            { BATCH_SCORING_URI: server.uri, BATCH_DEPLOYMENT: "blue", BATCH_OUTPUT_DATASTORE: "/subscriptions/s/datastores/d" },
            parts.credential,
        );
        clock = Date.parse("2026-01-31T12:00:00Z");
        return () => server.stop();
    });

    const given = () => ({ lake: parts.lake, endpoint, now: () => new Date(clock), log: () => undefined });

    /** Completes the folder and gives the event of it. */
    async function completed(of = folder): Promise<BlobCreated> {
        await parts.lake.writeMarker("logs", `${of}/_SUCCESS`);
        const marker = await parts.lake.find("logs", `${of}/_SUCCESS`);
        return parseBlobCreated(eventOf("logs", `${of}/_SUCCESS`, marker?.etag ?? ""));
    }

    async function states(): Promise<Record<string, BatchState>> {
        const contents = await parts.contents("batches");
        return Object.fromEntries(Object.entries(contents).map(([path, text]) => [path, JSON.parse(text) as BatchState]));
    }

    function submittedTo(): string[] {
        return server.requests.map(({ body }) => (JSON.parse(body) as Submitted).properties.OutputData.predictions.Uri);
    }

    test("starts one job for a completed folder, however often and at the same time it is told of it", async () => {
        const event = await completed();
        const outcomes = await Promise.allSettled([event, event, event].map((told) => scoreReadyFolder(told, given())));
        expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        for (const outcome of outcomes) {
            expect(outcome.status === "fulfilled" ? outcome.value : outcome.reason).toSatisfy(
                (value) => value === "submitted" || value instanceof BatchBusyError,
            );
        }
        expect(await scoreReadyFolder(event, given())).toBe("already-submitted");

        const key = batchKey(folder, event.etag);
        expect(submittedTo()).toEqual([`azureml:/subscriptions/s/datastores/d/paths/${folder}/${key}/`]);
        expect((JSON.parse(server.requests[0]?.body ?? "") as Submitted).properties.InputData.folder.Uri).toBe(
            `${parts.account.blobEndpoint}/logs/${folder}`,
        );
        expect(await states()).toEqual({
            [`${key}.json`]: {
                folder,
                marker: event.etag,
                status: "submitted",
                attempt: 1,
                outputPath: `${folder}/${key}`,
                jobName: "job-1",
                updatedAt: "2026-01-31T12:00:00.000Z",
            },
        });
    });

    test("starts another job when the folder was completed anew, and none for the event of before", async () => {
        const first = await completed();
        await scoreReadyFolder(first, given());
        const second = await completed();
        expect(await scoreReadyFolder(second, given())).toBe("submitted");
        expect(await scoreReadyFolder(first, given())).toBe("outdated");
        expect(new Set(submittedTo()).size).toBe(2);
    });

    test("starts none while the folder is being changed: its marker is gone", async () => {
        const event = await completed();
        await parts.lake.remove("logs", event.path);
        expect(await scoreReadyFolder(event, given())).toBe("outdated");
        expect(server.requests).toEqual([]);
    });

    test("takes the top of the container for a folder", async () => {
        await parts.lake.writeMarker("logs", "_SUCCESS");
        const marker = await parts.lake.find("logs", "_SUCCESS");
        await scoreReadyFolder({ container: "logs", path: "_SUCCESS", etag: marker?.etag ?? "" }, given());
        expect((JSON.parse(server.requests[0]?.body ?? "") as Submitted).properties.InputData.folder.Uri).toBe(
            `${parts.account.blobEndpoint}/logs`,
        );
    });

    test.each([
        ["another container", { container: "predictions", path: "a/_SUCCESS" }],
        ["another blob", { container: "logs", path: "a/part-0000.csv" }],
        ["a name that only ends like the marker", { container: "logs", path: "a/NOT_SUCCESS" }],
    ])("refuses the event of %s", async (_name, blob) => {
        await expect(scoreReadyFolder({ ...blob, etag: "0x1" }, given())).rejects.toBeInstanceOf(MessageError);
    });

    test("fails when the endpoint refuses, and the next delivery tries again at once, with an output folder of its own", async () => {
        const event = await completed();
        const key = batchKey(folder, event.etag);
        const accept = server.answer;
        server.answer = () => ({ status: 400, body: "datastore not found" });
        const failure: unknown = await scoreReadyFolder(event, given()).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(BatchEndpointError);
        expect(failure).toMatchObject({ status: 400, retryable: false });
        const refused = (await states())[`${key}.json`];
        expect(refused).toMatchObject({ status: "refused", reason: expect.stringContaining("datastore not found") as string });

        server.answer = accept;
        expect(await scoreReadyFolder(event, given())).toBe("submitted");
        const taken = (await states())[`${key}.json`];
        expect(taken).toMatchObject({ status: "submitted", attempt: 2, outputPath: `${folder}/${key}-2`, jobName: "job-1" });
        expect(taken).not.toHaveProperty("reason");
    });

    test("waits after a call without an answer, as the job may run, and takes over once nobody can be at it", async () => {
        const event = await completed();
        const accept = server.answer;
        server.answer = () => "hangUp";
        await expect(scoreReadyFolder(event, given())).rejects.toMatchObject({ status: undefined, retryable: true });
        server.answer = accept;
        await expect(scoreReadyFolder(event, given())).rejects.toBeInstanceOf(BatchBusyError);
        clock += 60_000;
        expect(await scoreReadyFolder(event, given())).toBe("submitted");
    });

    // The state is written, the job is submitted, the state is written again.
    test.each([1, 2, 3].flatMap((call) => [["before", call] as const, ["after", call] as const]))(
        "killed %s change %i, is finished by a later delivery",
        async (when, call) => {
            const event = await completed();
            const life = mortal(call, when);
            const killed = { ...given(), lake: life.wrap(parts.lake, ["writeText"]), endpoint: life.wrap(endpoint, ["submit"]) };
            await scoreReadyFolder(event, killed).catch(() => undefined);
            expect(life.dead).toBe(true);

            clock += 60_000;
            await scoreReadyFolder(event, given());
            const [state] = Object.values(await states());
            expect(state).toMatchObject({ status: "submitted", jobName: `job-${server.requests.length}` });
            // Killed between the endpoint's answer and writing it down, nobody can know: the second job then writes elsewhere.
            expect(new Set(submittedTo()).size).toBe(server.requests.length);
            expect(server.requests).toHaveLength((when === "after" && call === 2) || (when === "before" && call === 3) ? 2 : 1);
        },
    );

    test("fails, and leaves the batch to the next delivery, when the lake is down", async () => {
        const event = await completed();
        const lake = { ...parts.lake, readText: () => Promise.reject(new Error("down")) };
        await expect(scoreReadyFolder(event, { ...given(), lake })).rejects.toThrow("down");
        expect(await scoreReadyFolder(event, given())).toBe("submitted");
    });
});

interface Submitted {
    readonly properties: {
        readonly InputData: { readonly folder: { readonly Uri: string } };
        readonly OutputData: { readonly predictions: { readonly Uri: string } };
    };
}

test("a folder's URL encodes what a URL must, and leaves partitions as they are", () => {
    expect(folderUri("https://lake.example/logs", "한 국/dt=2026-01-31/a+b%20#?")).toBe(
        "https://lake.example/logs/%ED%95%9C%20%EA%B5%AD/dt=2026-01-31/a%2Bb%2520%23%3F",
    );
});
