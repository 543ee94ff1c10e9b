import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { maxAsked } from "../../../functions/batches/state";
import { MessageError, parseBlobCreated } from "../../../functions/events/blob-created";
import { jobChanged, parseJobChanged } from "../../../functions/reconcile/job-changed";
import { reconcile, ReconcileError } from "../../../functions/reconcile/reconcile";
import { scoreReadyFolder } from "../../../functions/score/score";
import { jobBody } from "./batch-server";
import { Batches, folder } from "./batches";
import { mortal } from "./mortal";
import { type ColdParts, startColdParts } from "./parts";

const inputs = { "part-0.csv": "a row", "part-1.csv": "two rows" };

describe("reconcile", () => {
    let parts: ColdParts;
    let batches: Batches;
    beforeAll(async () => {
        parts = await startColdParts();
    });
    afterAll(() => parts.stop());
    beforeEach(async () => {
        batches = await Batches.start(parts);
        return () => batches.server.stop();
    });

    const given = () => batches.given();

    /** Has a job submitted for two files. */
    async function submitted(): Promise<string> {
        await scoreReadyFolder(await batches.completed(folder, inputs), given());
        const { outputPath } = await batches.state();
        return outputPath;
    }

    /** Writes what a job says of a file, and its predictions. */
    async function scored(outputPath: string, file: keyof typeof inputs, rows: number, rejected = 0): Promise<string> {
        const stem = `${file.replace(".csv", "")}-0123`;
        await batches.write("predictions", `${outputPath}/${stem}.csv`, "player_id\n");
        await said(outputPath, stem, { file, bytes: inputs[file].length, scored: rows, rejected });
        return `${outputPath}/${stem}.csv`;
    }

    async function said(outputPath: string, stem: string, summary: object): Promise<void> {
        await batches.write("predictions", `${outputPath}/_summaries/${stem}.json`, `${JSON.stringify(summary)}\n`);
    }

    const queued = (queue: string) => batches.sent.filter((sent) => sent.queue === queue);

    test("follows a job to its end, and its files into the database", async () => {
        const outputPath = await submitted();
        batches.jobs.set("job-1", "Running");
        await reconcile(given());
        expect(await batches.state()).toMatchObject({ status: "submitted", jobStatus: "Running" });
        expect(batches.sent).toEqual([]);

        batches.jobs.set("job-1", "Completed");
        const files = [await scored(outputPath, "part-0.csv", 1), await scored(outputPath, "part-1.csv", 1, 1)];
        batches.ledgerRows.set(files[0] ?? "", 1);
        await reconcile(given());
        expect(await batches.state()).toMatchObject({
            status: "completed",
            jobStatus: "Completed",
            rows: { in: 3, scored: 2, rejected: 1 },
            outputFiles: 2,
            loaded: { files: 1, rows: 1, asked: 1 },
        });
        expect(batches.sent.map(({ queue }) => queue)).toEqual(["predictions-ready"]);
        const found = await parts.lake.find("predictions", files[1] ?? "");
        expect(parseBlobCreated(batches.sent[0]?.message)).toEqual({ container: "predictions", path: files[1], etag: found?.etag });
        expect(batches.stepNames().slice(-3)).toEqual(["asked", "moved", "queued"]);

        batches.ledgerRows.set(files[1] ?? "", 1);
        await reconcile(given());
        expect(await batches.state()).toMatchObject({ loaded: { files: 2, rows: 2, asked: 1 } });
        const { length } = batches.server.requests;
        expect(await reconcile(given())).toEqual({ open: 0 });
        expect(batches.server.requests).toHaveLength(length);
    });

    test("queues a file that does not load a bounded number of times", async () => {
        const outputPath = await submitted();
        await scored(outputPath, "part-0.csv", 1);
        await scored(outputPath, "part-1.csv", 1);
        batches.jobs.set("job-1", "Completed");
        for (let run = 0; run < maxAsked + 3; run += 1) {
            await reconcile(given());
        }
        expect(queued("predictions-ready")).toHaveLength(2 * maxAsked);
        expect(await batches.state()).toMatchObject({ status: "completed", outputFiles: 2, loaded: { files: 0, rows: 0, asked: maxAsked } });
    });

    test("tells of refused files by the poison queue, and loads the others", async () => {
        const outputPath = await submitted();
        await scored(outputPath, "part-0.csv", 1);
        await said(outputPath, "part-1-4567", { file: "part-1.csv", bytes: inputs["part-1.csv"].length, refused: "the header lacks age" });
        batches.jobs.set("job-1", "Completed");
        await reconcile(given());
        const reason = "1 of 2 files were refused: part-1.csv: the header lacks age";
        expect(await batches.state()).toMatchObject({
            status: "poisoned",
            reason,
            rows: { in: 1, scored: 1, rejected: 0 },
            refusedFiles: [{ file: "part-1.csv", reason: "the header lacks age" }],
            outputFiles: 1,
        });
        expect(queued("folders-ready-poison")).toMatchObject([{ message: { poisoned: { attempt: 1, reason } } }]);
        expect(queued("predictions-ready")).toHaveLength(1);
        // Once it is put back, everything is scored anew.
        const message = queued("folders-ready-poison")[0]?.message;
        expect(await scoreReadyFolder(parseBlobCreated(message), given(), 1)).toBe("submitted");
        expect(await batches.state()).toMatchObject({ status: "submitted", attempt: 2, outputPath: `${outputPath}-2` });
    });

    test.each<[string, string | undefined, string]>([
        ["failed", "Failed", "job job-1 ended as Failed"],
        ["is not known any more", undefined, "job job-1 ended as NotFound"],
        ["completed without a word of a file", "Completed", "job job-1 ended without a word of 1 of 2 files: part-1.csv"],
    ])("starts another job after one that %s, three in all, then gives up", async (_what, status, reason) => {
        const outputPath = await submitted();
        await scored(outputPath, "part-0.csv", 1);
        const event = { container: "logs", path: `${folder}/_SUCCESS`, etag: "of the marker" };
        const end = (job: string) => (status === undefined ? batches.jobs.delete(job) : batches.jobs.set(job, status));
        end("job-1");
        await reconcile(given());
        expect(await batches.state()).toMatchObject({ status: "failed", failedJobs: 1, reason: expect.stringContaining(reason) as string });
        expect(queued("folders-ready")).toMatchObject([{ delaySeconds: 30 }]);

        for (const attempt of [2, 3]) {
            expect(await scoreReadyFolder(event, given())).toBe("submitted");
            const state = await batches.state();
            expect(state).toMatchObject({ status: "submitted", attempt, outputPath: `${outputPath}-${attempt}`, failedJobs: attempt - 1 });
            await scored(state.outputPath, "part-0.csv", 1);
            end(`job-${attempt}`);
            await reconcile(given());
        }
        expect(await batches.state()).toMatchObject({ status: "poisoned", failedJobs: 3 });
        expect(queued("folders-ready")).toHaveLength(2);
        expect(queued("folders-ready-poison")).toMatchObject([{ message: { poisoned: { attempt: 3 } } }]);
        expect(await scoreReadyFolder(event, given())).toBe("poisoned");
    });

    test("does not start again what a person canceled", async () => {
        await submitted();
        batches.jobs.set("job-1", "Canceled");
        await reconcile(given());
        expect(await batches.state()).toMatchObject({ status: "poisoned", reason: "job job-1 was canceled" });
        expect(batches.sent.map(({ queue }) => queue)).toEqual(["folders-ready-poison"]);
    });

    test("takes a job for what it is when the folder has changed since", async () => {
        const outputPath = await submitted();
        await scored(outputPath, "part-0.csv", 1);
        await batches.write("logs", `${folder}/part-1.csv`, "another row");
        batches.jobs.set("job-1", "Completed");
        await reconcile(given());
        expect(await batches.state()).toMatchObject({ status: "completed", rows: { in: 1, scored: 1, rejected: 0 } });
    });

    test("queues a folder again whose next try is overdue, but not one that has changed", async () => {
        await submitted();
        batches.jobs.set("job-1", "Failed");
        // The message of the next try is lost: killed before it was sent.
        const life = mortal(1, "before");
        await reconcile({ ...given(), queues: life.wrap(given().queues, ["send"]) }).catch(() => undefined);
        expect(life.dead).toBe(true);
        expect(await batches.state()).toMatchObject({ status: "failed" });
        await reconcile(given());
        expect(batches.sent).toEqual([]);
        batches.clock += 600_000;
        await reconcile(given());
        expect(batches.sent).toMatchObject([{ queue: "folders-ready", delaySeconds: 0 }]);

        await parts.lake.remove("logs", `${folder}/part-1.csv`);
        await reconcile(given());
        expect(batches.sent).toHaveLength(1);
        expect(await batches.state()).toMatchObject({ status: "superseded", reason: "the folder has changed since" });
        expect(await reconcile(given())).toEqual({ open: 0 });
    });

    test("follows the other batches when one cannot be, and says so", async () => {
        const outputPath = await submitted();
        await scoreReadyFolder(await batches.completed("other"), given());
        batches.jobs.set("job-1", "Completed").set("job-2", "Failed");
        await scored(outputPath, "part-0.csv", 1);
        await scored(outputPath, "part-1.csv", 1);
        const ledger = { rowsOf: () => Promise.reject(new Error("the database is down")) };
        await expect(reconcile({ ...given(), ledger })).rejects.toBeInstanceOf(ReconcileError);
        expect((await batches.states()).map(({ status }) => status).sort()).toEqual(["completed", "failed"]);
        expect(batches.steps).toContainEqual(expect.objectContaining({ step: "failed", reason: "Error: the database is down" }));
        await reconcile(given());
        expect(queued("predictions-ready")).toHaveLength(2);
    });

    // A refused file: the message to the poison queue, then the state; then a file's message and the state again.
    test.each([1, 2, 3, 4].flatMap((call) => [["before", call] as const, ["after", call] as const]))(
        "killed %s change %i, comes to the same end at the next run",
        async (when, call) => {
            const outputPath = await submitted();
            await scored(outputPath, "part-0.csv", 1);
            await said(outputPath, "part-1-4567", { file: "part-1.csv", bytes: inputs["part-1.csv"].length, refused: "no header" });
            batches.jobs.set("job-1", "Completed");
            const life = mortal(call, when);
            const killed = { ...given(), lake: life.wrap(parts.lake, ["writeText"]), queues: life.wrap(given().queues, ["send"]) };
            await reconcile(killed).catch(() => undefined);
            expect(life.dead).toBe(true);

            await reconcile(given());
            expect(await batches.state()).toMatchObject({ status: "poisoned", outputFiles: 1, rows: { scored: 1 } });
            expect(queued("folders-ready-poison").length).toBeGreaterThan(0);
            expect(queued("predictions-ready").length).toBeGreaterThan(0);
        },
    );

    describe("an event of Azure ML", () => {
        const event = (data: object, eventType = "RunCompleted") => ({ eventType: `Microsoft.MachineLearningServices.${eventType}`, data });

        test("moves the batch of its job", async () => {
            const outputPath = await submitted();
            await scored(outputPath, "part-0.csv", 1);
            await scored(outputPath, "part-1.csv", 1);
            batches.jobs.set("job-1", "Completed");
            expect(await jobChanged("job-1", given())).toBe("followed");
            expect(await batches.state()).toMatchObject({ status: "completed" });
        });

        test("is a hint: the endpoint's word counts", async () => {
            await submitted();
            batches.jobs.set("job-1", "Running");
            expect(await jobChanged("job-1", given())).toBe("followed");
            expect(await batches.state()).toMatchObject({ status: "submitted", jobStatus: "Running" });
        });

        test("reads no state but that of its job, where the endpoint tells of the job's output folder", async () => {
            const outputPath = await submitted();
            await scoreReadyFolder(await batches.completed("other"), given());
            batches.server.answer = ({ url }) => ({ status: 200, body: jobBody("job-1", "Running", url?.endsWith("job-1") ? outputPath : "players/of-a-person") });
            const read: string[] = [];
            const lake = {
                ...parts.lake,
                list: () => {
                    throw new Error("nothing is to be listed");
                },
                readText: (container: string, path: string) => {
                    read.push(path);
                    return parts.lake.readText(container, path);
                },
            };
            expect(await jobChanged("job-1", { ...given(), lake })).toBe("followed");
            expect(read).toEqual([`${outputPath.split("/").at(-1)}.json`]);
            expect(await jobChanged("job-7", { ...given(), lake })).toBe("unknown");
        });

        test("of another run of the workspace changes nothing", async () => {
            await submitted();
            batches.jobs.set("of another application", "Completed");
            expect(await jobChanged("a training", given())).toBe("unknown");
            expect(await jobChanged("of another application", given())).toBe("unknown");
            expect(await batches.state()).toMatchObject({ status: "submitted", job: "job-1" });
        });

        test("finds the batch of a job whose submission was killed before it was written down", async () => {
            const told = await batches.completed(folder, inputs);
            const life = mortal(2, "after");
            const killed = { ...given(), lake: life.wrap(parts.lake, ["writeText"]), endpoint: life.wrap(batches.endpoint, ["submit"]) };
            await scoreReadyFolder(told, killed).catch(() => undefined);
            const { outputPath } = await batches.state();
            batches.server.answer = ({ url }) => ({ status: 200, body: jobBody("job-1", "Running", url?.endsWith("job-1") ? outputPath : "elsewhere") });

            expect(await jobChanged("job-9", given())).toBe("unknown");
            expect(await jobChanged("job-1", given())).toBe("adopted");
            batches.clock += 600_000;
            expect(await scoreReadyFolder(told, given())).toBe("already-submitted");
            expect(batches.outputs()).toHaveLength(1);
            expect(await batches.state()).toMatchObject({ status: "submitted", job: "job-1", attempt: 1 });
        });

        test("is read as Event Grid sends it, and nothing else is", () => {
            expect(parseJobChanged(event({ runId: "batchjob-1", runStatus: "Failed" }, "RunStatusChanged"))).toBe("batchjob-1");
            expect(parseJobChanged(event({ runId: "batchjob-1" }))).toBe("batchjob-1");
            for (const message of [event({}), event({ runId: "x" }, "ModelRegistered"), "text", null]) {
                expect(() => parseJobChanged(message)).toThrow(MessageError);
            }
        });
    });
});
