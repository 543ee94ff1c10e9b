import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { checkDrift, type DriftParts } from "../../../functions/drift/check";
import { defaultLimits } from "../../../functions/drift/compare";
import type { DayReport } from "../../../functions/drift/report";
import { StatisticsError } from "../../../functions/drift/statistics";
import { Killed, mortal } from "../cold/mortal";
import { type ColdParts, startColdParts } from "../cold/parts";
import { counted } from "./counts";
import { putBatch, reportsOf, shifted } from "./world";

describe("the drift of a day", () => {
    let parts: ColdParts;
    let lines: Record<string, unknown>[];
    let recorded: DayReport[];
    beforeAll(async () => {
        parts = await startColdParts();
    });
    beforeEach(async () => {
        await parts.clear();
        lines = [];
        recorded = [];
    });
    afterAll(() => parts.stop());

    const given = (change: Partial<DriftParts> = {}): DriftParts => ({
        lake: parts.lake,
        modelVersion: "model-1",
        limits: defaultLimits,
        record: (report) => void recorded.push(report),
        log: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
        ...change,
    });

    test("is none where it is like the training data", async () => {
        await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z" });
        const report = await checkDrift(given());
        expect(report).toMatchObject({ day: "2026-01-31", modelVersion: "model-1", drifted: [], players: { before: 1_000, now: 1_000 }, limits: defaultLimits });
        expect(recorded).toEqual([report]);
        expect(lines).toEqual([
            { event: "drift", outcome: "steady", day: "2026-01-31", modelVersion: "model-1", players: 1_000, drifted: [], leftOut: 0, others: 0, report: "runs/drift/2026-01-31.json" },
        ]);
    });

    test("is told in the report, the metrics and the log, all output files together", async () => {
        const batch = await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z", players: [counted(), shifted, shifted] });
        const report = await checkDrift(given());
        expect(await reportsOf(parts)).toEqual({ "2026-01-31": report });
        expect(report).toMatchObject({
            batches: [{ batch, folder: "players/dt=2026-01-31" }],
            players: { now: 3_000 },
            drifted: ["country"],
            columns: expect.arrayContaining([expect.objectContaining({ name: "country", unseen: { share: 400 / 3_000, texts: ["JP"] } })]) as unknown,
        });
        expect(recorded).toEqual([report]);
        expect(lines).toMatchObject([{ outcome: "drifted", drifted: ["country"], report: "runs/drift/2026-01-31.json" }]);
    });

    test("is that of all folders of the newest day, each as it was scored last", async () => {
        await putBatch(parts, { createdAt: "2026-01-30T03:20:00.000Z", folder: "players/dt=2026-01-30", players: [shifted] });
        await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z", folder: "players/a", players: [shifted] });
        const last = await putBatch(parts, { createdAt: "2026-01-31T05:00:00.000Z", folder: "players/a" });
        const other = await putBatch(parts, { createdAt: "2026-01-31T04:00:00.000Z", folder: "players/b" });
        expect(await checkDrift(given())).toMatchObject({ day: "2026-01-31", players: { now: 2_000 }, drifted: [] });
        expect((await reportsOf(parts))["2026-01-31"]?.batches.map(({ batch }) => batch).sort()).toEqual([last, other].sort());
    });

    test("leaves batches alone that are under way or were given up, and says how many", async () => {
        await putBatch(parts, { createdAt: "2026-01-30T03:20:00.000Z", folder: "players/dt=2026-01-30" });
        await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z", status: "submitted", players: [shifted] });
        await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z", status: "poisoned", players: [shifted] });
        await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z", status: "superseded", players: [shifted] });
        expect(await checkDrift(given())).toMatchObject({ day: "2026-01-30", drifted: [], others: 2 });
    });

    test("is not judged by few players", async () => {
        await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z", players: [counted({ country: { FR: 20 }, players: 20 })] });
        expect(await checkDrift(given())).toMatchObject({ tooFew: true, drifted: [] });
        expect(lines).toMatchObject([{ outcome: "too-few-players", players: 20 }]);
    });

    test("is none of a day that another model scored, or another scoring script, or before any day was scored: the log says so", async () => {
        expect(await checkDrift(given())).toBeUndefined();
        const folder = "players/dt=2026-01-31";
        const createdAt = "2026-01-31T03:20:00.000Z";
        const uncounted = await putBatch(parts, { createdAt, players: [], training: undefined });
        const elsewhere = await putBatch(parts, { createdAt, folder: "players/b", training: counted({ modelVersion: "model-0" }) });
        expect(await checkDrift(given())).toBeUndefined();
        const leftOut = [
            { batch: uncounted, folder, reason: "its job wrote no counts of players" },
            { batch: elsewhere, folder: "players/b", reason: "it was scored by model model-0" },
        ];
        expect(lines).toEqual([
            { event: "drift", outcome: "nothing-to-compare", reason: "no batch has been scored yet" },
            { event: "drift", outcome: "nothing-to-compare", day: "2026-01-31", reason: "no batch of the day was counted by the model in service", modelVersion: "model-1", leftOut },
        ]);
        expect([recorded, await reportsOf(parts)]).toEqual([[], {}]);

        await putBatch(parts, { createdAt, folder: "players/c", players: [shifted] });
        expect(await checkDrift(given())).toMatchObject({ players: { now: 1_000 }, drifted: ["country"], leftOut });
    });

    test("stops at counts that are none, naming the file", async () => {
        await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z", players: [{ ...counted(), players: -1 }] });
        const failure = checkDrift(given());
        await expect(failure).rejects.toThrow(StatisticsError);
        await expect(failure).rejects.toThrow(/predictions\/players\/dt=2026-01-31\/batch-\d+\/_statistics\/part-0\.json: no counts of players: players/);
    });

    test.each(["before", "after"] as const)("is found by the next run, or by two at once, where one was killed %s its report was written", async (when) => {
        await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z", players: [shifted, counted()] });
        const killed = mortal(1, when);
        await expect(checkDrift(given({ lake: killed.wrap(parts.lake, ["writeText"]) }))).rejects.toThrow(Killed);
        expect([killed.dead, recorded, lines]).toEqual([true, [], []]);
        const [report, same] = await Promise.all([checkDrift(given()), checkDrift(given())]);
        expect(report).toMatchObject({ players: { now: 2_000 }, drifted: ["country"] });
        expect(same).toEqual(report);
        expect(await reportsOf(parts)).toEqual({ "2026-01-31": report });
        expect(recorded).toEqual([report, report]);
    });

    test("is of all batches, where one comes while it is looked for", async () => {
        await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z" });
        let come = false;
        const lake: DriftParts["lake"] = {
            list: (...args) => parts.lake.list(...args),
            readText: (...args) => parts.lake.readText(...args),
            writeText: async (...args) => {
                if (!come) {
                    come = true;
                    await putBatch(parts, { createdAt: "2026-01-31T04:00:00.000Z", folder: "players/b", players: [shifted] });
                    await checkDrift(given());
                }
                return parts.lake.writeText(...args);
            },
        };
        expect(await checkDrift(given({ lake }))).toMatchObject({ players: { now: 2_000 }, drifted: ["country"] });
        expect((await reportsOf(parts))["2026-01-31"]?.batches).toHaveLength(2);
    });
});
