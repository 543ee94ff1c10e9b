import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerBatches } from "../../../functions/batches/handler";
import { type BatchList, batchQuerySchema, findBatches } from "../../../functions/batches/list";
import { LakeError } from "../../../functions/clients/lake-errors";
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

    const find = (query: Record<string, string>) => findBatches(parts.lake, batchQuerySchema.parse(query));
    const jobs = ({ batches: found }: BatchList) => found.map(({ job }) => job);

    test("are listed newest first, as their states are", async () => {
        const all = await find({});
        expect(jobs(all)).toEqual(["job-4", "job-3", "job-2", "job-1"]);
        expect(all.batches.toReversed()).toEqual(await batches.states());
        expect(all).not.toHaveProperty("next");
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

    describe("over HTTP", () => {
        let errors: unknown[];
        beforeEach(() => {
            errors = [];
        });
        const call = () => ({ invocationId: "invocation", error: (error: unknown) => void errors.push(error) });
        const answer = (query: string, result: () => Promise<BatchList> = () => Promise.resolve({ batches: [] })) =>
            answerBatches(new URLSearchParams(query), result, call());

        test("are what was found", async () => {
            expect(await answerBatches(new URLSearchParams("limit=1"), (query) => findBatches(parts.lake, query), call())).toMatchObject({
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
