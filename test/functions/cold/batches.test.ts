import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { answerBatches } from "../../../functions/batches/handler";
import { type BatchList, type BatchListParts, batchQuerySchema, findBatches } from "../../../functions/batches/list";
import { DatabaseError } from "../../../functions/clients/database-errors";
import { LakeError } from "../../../functions/clients/lake-errors";
import type { BatchState } from "../../../functions/batches/state";
import { reconcile } from "../../../functions/reconcile/reconcile";
import { scoreReadyFolder } from "../../../functions/score/score";
import { Batches } from "./batches";
import { type ColdParts, startColdParts } from "./parts";

describe("the batches", () => {
    let parts: ColdParts;
    let batches: Batches;
    beforeAll(async () => {
        parts = await startColdParts();
        batches = await Batches.start(parts);
        for (const folder of ["players/dt=2026-01-29", "플레이어/dt=2026-01-30", "players/dt=2026-01-31"]) {
            await scoreReadyFolder(await batches.completed(folder), batches.given());
            batches.clock += 86_400_000;
        }
        // The same folder once more, and a job that ended.
        await scoreReadyFolder(await batches.completed("players/dt=2026-01-29", { "part-1.csv": "rows" }), batches.given());
        batches.jobs.set("job-1", "Canceled").set("job-2", "Running").set("job-3", "Running").set("job-4", "Running");
        await reconcile(batches.given());
    });
    afterAll(async () => {
        await batches.server.stop();
        await parts.stop();
    });

    const warnings: unknown[] = [];
    const given = () => ({ ...batches.given(), warn: (error: unknown) => void warnings.push(error) });
    const find = (query: Record<string, string>, change: Partial<BatchListParts> = {}) =>
        findBatches({ ...given(), ...change }, batchQuerySchema.parse(query));
    const jobs = ({ batches: found }: BatchList) => found.map(({ job }) => job);

    test("are listed newest first, as their states are", async () => {
        const all = await find({});
        expect(jobs(all)).toEqual(["job-4", "job-3", "job-2", "job-1"]);
        const nothing = { outputFiles: 0, loaded: { files: 0, rows: 0, asked: 0 } };
        expect(all.batches.toReversed()).toEqual((await batches.states()).map((state) => ({ ...state, ...nothing })));
        expect(all).not.toHaveProperty("next");
        expect(all).not.toHaveProperty("note");
    });

    test("are found by folder and by state", async () => {
        expect(jobs(await find({ folder: "players/dt=2026-01-29" }))).toEqual(["job-4", "job-1"]);
        expect(jobs(await find({ folder: "플레이어/dt=2026-01-30" }))).toEqual(["job-2"]);
        expect(jobs(await find({ status: "poisoned" }))).toEqual(["job-1"]);
        expect(jobs(await find({ folder: "players/dt=2026-01-29", status: "submitted" }))).toEqual(["job-4"]);
        expect(await find({ folder: "players" })).toEqual({ batches: [] });
    });

    test("come page by page", async () => {
        const pages: unknown[] = [];
        let before: string | undefined;
        do {
            const page: BatchList = await find({ limit: "3", ...(before !== undefined && { before }) });
            pages.push(jobs(page));
            before = page.next;
        } while (before !== undefined);
        expect(pages).toEqual([["job-4", "job-3", "job-2"], ["job-1"]]);
    });

    describe("with predictions", () => {
        let running: BatchState;
        let ended: BatchState;
        beforeAll(async () => {
            [, running, ended] = (await batches.states()) as [BatchState, BatchState, BatchState];
            for (const file of [`${running.outputPath}/a.csv`, `${running.outputPath}/b.csv`, `${ended.outputPath}/c.csv`]) {
                await batches.write("predictions", file, "player_id\n");
            }
            await batches.write("predictions", `${running.outputPath}/a.csv.rejected.jsonl`, "{}\n");
            await batches.write("predictions", `${ended.outputPath}/_summaries/c.json`, JSON.stringify({ file: "part-0.csv", bytes: 4, scored: 7, rejected: 0 }));
            batches.jobs.set("job-3", "Completed");
            await reconcile(batches.given());
        });

        const loaded = async (change: Partial<BatchListParts> = {}) => {
            const { batches: found, note } = await find({}, change);
            return { note, loads: found.slice(1, 3).map((each) => [each.outputFiles, each.loaded]), poisoned: found[3] };
        };

        test("tell what the database has of them at the time of asking, of jobs that run as well", async () => {
            expect(await loaded()).toMatchObject({ note: undefined, loads: [[1, { files: 0, rows: 0, asked: 1 }], [2, { files: 0, rows: 0, asked: 0 }]] });
            // No run of the timer since.
            batches.ledgerRows.set(`${running.outputPath}/b.csv`, 5).set(`${ended.outputPath}/c.csv`, 7);
            const asked = batches.ledgerAsked;
            expect(await loaded()).toMatchObject({ note: undefined, loads: [[1, { files: 1, rows: 7, asked: 1 }], [2, { files: 1, rows: 5, asked: 0 }]] });
            expect(batches.ledgerAsked).toBe(asked + 1);
        });

        test.each([
            ["down", () => Promise.reject(new DatabaseError("could not connect to game", { code: "ECONNREFUSED" })), "ECONNREFUSED"],
            ["silent", () => new Promise<never>(() => undefined), "no answer within"],
        ])("are told without it while the database is %s, with a note", async (_what, rowsOf, reason) => {
            warnings.length = 0;
            vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
            const answer = loaded({ ledger: { rowsOf } });
            const passing = setInterval(() => vi.advanceTimersByTime(1_000), 10);
            const { note, loads, poisoned } = await answer.finally(() => {
                clearInterval(passing);
                vi.useRealTimers();
            });
            expect(loads).toEqual([[1, null], [2, null]]);
            expect(note).toContain(reason);
            expect(warnings).toHaveLength(1);
            // What has no files is known to have none loaded.
            expect(poisoned).toMatchObject({ outputFiles: 0, loaded: { files: 0 } });
        });

        test("are not asked for again once the state says that all are loaded", async () => {
            await reconcile(batches.given());
            const { loads } = await loaded({ ledger: { rowsOf: () => Promise.reject(new DatabaseError("no", { code: "ECONNREFUSED" })) } });
            expect(loads[0]).toEqual([1, { files: 1, rows: 7, asked: 1 }]);
        });

        test("fail with what is neither the lake's nor the database's failure", async () => {
            await expect(loaded({ ledger: { rowsOf: () => Promise.reject(new TypeError("a fault")) } })).rejects.toBeInstanceOf(TypeError);
        });
    });

    describe("over HTTP", () => {
        let errors: unknown[];
        beforeEach(() => {
            errors = [];
        });
        const call = () => ({ invocationId: "invocation", error: (error: unknown) => void errors.push(error) });
        const answer = (query: string, result: () => Promise<BatchList> = () => Promise.resolve({ batches: [] })) =>
            answerBatches(new URLSearchParams(query), result, call());

        test("are what was found", async () => {
            expect(await answerBatches(new URLSearchParams("limit=1"), (query) => findBatches(given(), query), call())).toMatchObject({
                jsonBody: { batches: [{ job: "job-4" }], next: expect.any(String) as string },
            });
        });

        test.each([
            ["limit=0", "limit"],
            ["limit=501", "limit"],
            ["limit=many", "limit"],
            ["status=done", "status"],
            ["folders=players", "folders"],
        ])("refuse %s, naming the parameter", async (query, field) => {
            const { status, body } = await answer(query);
            expect(status).toBe(400);
            expect(JSON.parse(body as string)).toMatchObject({ type: "urn:player-predictions:invalid-request", field, detail: expect.stringContaining(field) as string });
        });

        test("are not there while the lake is down, and any other failure is the service's own", async () => {
            expect(await answer("", () => Promise.reject(new LakeError("could not list", 503)))).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
            expect(await answer("", () => Promise.reject(new Error("a secret")))).toMatchObject({
                status: 500,
                body: expect.not.stringContaining("a secret") as string,
            });
            expect(errors).toHaveLength(2);
        });
    });
});
