import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../../functions/clients/database";
import { DatabaseError } from "../../../functions/clients/database-errors";
import { MessageError } from "../../../functions/events/blob-created";
import { loadPredictions } from "../../../functions/load/load";
import { readRows } from "../../../functions/load/predictions-file";
import { Staging } from "../../../functions/load/staging";
import { ensureTables } from "../../../functions/load/tables";
import { WrongHeaderError } from "../../../functions/load/row";
import type { FingerprintedPrediction } from "../../../functions/prediction";
import { file, LoadStack, scored } from "./load-stack";
import { mortal } from "./mortal";
import { csvOf, prediction } from "./predictions";

const earlier = "2026-01-30T12:00:00.000Z";
const later = "2026-02-01T12:00:00.000Z";

describe("load", () => {
    let stack: LoadStack;
    beforeAll(async () => {
        stack = await LoadStack.start();
    });
    afterAll(() => stack.stop());
    beforeEach(() => stack.clear());

    test("brings every column of a file into the database and every prediction into the cache", async () => {
        const predictions = [
            prediction("1"),
            prediction("한국 플레이어 💎", { churn: { label: false, probability: 0.000001 }, segment: { id: 255, name: "밤 올빼미 🌙" } }),
            prediction("quote'\"\\ and , comma\nand line", { purchase: { label: true, probability: 1 } }),
            prediction("case"),
            prediction("CASE"),
        ];
        const event = await stack.written(csvOf(predictions));
        expect(await stack.load(event)).toEqual({ outcome: "loaded", rows: 5, rejected: 0, cached: true });

        const found = await stack.rows<Record<string, unknown>>("SELECT * FROM player_predictions ORDER BY player_id");
        expect(found).toEqual(
            [...predictions]
                .sort((a, b) => Buffer.compare(Buffer.from(a.playerId), Buffer.from(b.playerId)))
                .map((value) => ({
                    player_id: value.playerId,
                    churn_label: Number(value.churn.label),
                    churn_probability: value.churn.probability.toFixed(6),
                    purchase_label: Number(value.purchase.label),
                    purchase_probability: value.purchase.probability.toFixed(6),
                    segment_id: value.segment.id,
                    segment_name: value.segment.name,
                    model_version: value.modelVersion,
                    scored_at: new Date(value.scoredAt),
                })),
        );
        const cached = await stack.cache.getMany(predictions.map(({ playerId }) => playerId));
        expect(cached).toMatchObject(predictions);
        // Fresh until the next batch, not for the hour of a prediction that was made for a request.
        expect(Math.min(...cached.map((each) => each?.freshUntil.getTime() ?? 0))).toBeGreaterThan(Date.now() + 80_000_000);
        expect(await stack.rows("SELECT file, etag, `rows`, rejected, loaded_at FROM prediction_loads")).toEqual([
            { file, etag: event.etag, rows: 5, rejected: 0, loaded_at: new Date("2026-02-02T12:00:00.500Z") },
        ]);
    });

    test("takes numbers however they are written", async () => {
        const [header = "", row = ""] = csvOf([prediction("p", { churn: { label: true, probability: 0.123456 } })]).split("\n");
        const written = ["0", "1", "0.5", "1e-06", "5E-1", "0.250000", "0.50000000000000", "1.0"];
        const lines = written.map((text, index) => row.replace("p,", `p${index},`).replace("0.123456", text));
        expect(await stack.load(await stack.written([header, ...lines, ""].join("\n")))).toMatchObject({ rows: written.length, rejected: 0 });
        const stored = Object.values(await stack.stored()).map((text) => text.split(" ")[1]);
        expect(stored).toEqual(written.map((text) => Number(text).toFixed(6)));
        const cached = await stack.cache.getMany(written.map((_, index) => `p${index}`));
        expect(cached.map((each) => each?.churn.probability)).toEqual(written.map(Number));
    });

    test("knows from the merge itself whether a stored prediction stayed", async () => {
        const merged = (...rows: readonly FingerprintedPrediction[]) =>
            stack.database.session(async (session) => {
                await ensureTables(session);
                const staging = await Staging.create(session);
                for await (const { good } of readRows(Readable.from([csvOf(rows)], { objectMode: false }))) {
                    await staging.add(good);
                }
                await staging.finish();
                const allTaken = await staging.merge();
                await staging.drop();
                return allTaken;
            });
        expect(await merged()).toBe(true);
        expect(await merged(scored("1", earlier), scored("2", earlier))).toBe(true);
        expect(await merged(scored("1", earlier))).toBe(false);
        // The same values, as they were scored again.
        expect(await merged(scored("1", later), scored("2", later), scored("3", earlier))).toBe(true);
        expect(await merged(scored("2", earlier), scored("4", earlier))).toBe(false);
        expect(await merged(scored("5", later), scored("5", earlier))).toBe(false);
    });

    test("loads a file once, however often and at the same time it is told of it", async () => {
        const event = await stack.written(csvOf(Array.from({ length: 2_500 }, (_, index) => scored(`p${index}`, later))));
        const results = await Promise.all([stack.load(event), stack.load(event), stack.load(event)]);
        expect(results.map(({ outcome }) => outcome).sort()).toEqual(["loaded", "repeated", "repeated"]);
        expect(results.every(({ cached }) => cached)).toBe(true);
        expect(await stack.rows("SELECT `rows` FROM prediction_loads")).toEqual([{ rows: 2_500 }]);
        expect(Object.keys(await stack.stored())).toHaveLength(2_500);
    });

    test.each([
        ["older after newer", [later, earlier]],
        ["newer after older", [earlier, later]],
    ])("keeps the newest score of each player: %s", async (_name, order) => {
        for (const scoredAt of order) {
            const both = scored("both", scoredAt, scoredAt === later ? 0.9 : 0.1);
            await stack.load(await stack.written(csvOf([both, scored(`only ${scoredAt}`, scoredAt)]), `a/${scoredAt}.csv`));
        }
        expect(await stack.stored()).toEqual({
            both: `${later} 0.900000`,
            [`only ${earlier}`]: `${earlier} 0.500000`,
            [`only ${later}`]: `${later} 0.500000`,
        });
        expect(await stack.cache.getMany(["both"])).toMatchObject([{ scoredAt: later, churn: { probability: 0.9 } }]);
    });

    test("keeps the newest of a player that is in one file twice", async () => {
        await stack.load(await stack.written(csvOf([scored("p", later, 0.9), scored("p", earlier, 0.1)])));
        expect(await stack.stored()).toEqual({ p: `${later} 0.900000` });
    });

    test("loads a file that was rewritten again, and the event of before does nothing more", async () => {
        const first = await stack.written(csvOf([scored("p", earlier, 0.1)]));
        await stack.load(first);
        const second = await stack.written(csvOf([scored("p", later, 0.9)]));
        expect(await stack.load(first)).toMatchObject({ outcome: "loaded", rows: 1 });
        expect(await stack.load(second)).toMatchObject({ outcome: "repeated" });
        expect(await stack.stored()).toEqual({ p: `${later} 0.900000` });
        const etags = [first.etag, second.etag].sort();
        expect(await stack.rows("SELECT etag FROM prediction_loads ORDER BY etag")).toEqual(etags.map((etag) => ({ etag })));
    });

    test("has nothing to do for a file that is gone", async () => {
        const event = await stack.written(csvOf([scored("p", later)]));
        await stack.parts.lake.remove("predictions", file);
        expect(await stack.load(event)).toEqual({ outcome: "gone", rows: 0, rejected: 0, cached: false });
    });

    test("sets bad rows aside in a blob beside the file, and loads the others", async () => {
        const [header, one, two] = csvOf([scored("one", later), scored("two", later)]).split("\n");
        const event = await stack.written([header, "", "bad,row", one, two?.replace("0.5", "1.5"), two, ""].join("\n"));
        expect(await stack.load(event)).toMatchObject({ outcome: "loaded", rows: 2, rejected: 2 });
        expect(Object.keys(await stack.stored())).toEqual(["one", "two"]);
        expect(await stack.rows("SELECT `rows`, rejected FROM prediction_loads")).toEqual([{ rows: 2, rejected: 2 }]);
        const lines = (await stack.parts.contents("predictions"))[`${file}.rejected.jsonl`]?.trimEnd().split("\n") ?? [];
        expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
            { line: 3, reason: "has 2 fields, expected 10", row: "bad,row" },
            { line: 5, reason: expect.stringContaining("churn_probability") as string, row: two?.replace("0.5", "1.5") },
        ]);

        await stack.load(await stack.written(csvOf([scored("one", later)])));
        expect(Object.keys(await stack.parts.contents("predictions"))).toEqual([file]);
    });

    test("refuses a file with a wrong header whole, each time", async () => {
        const event = await stack.written(csvOf([scored("one", later)]).replace("churn_label", "label"));
        for (let delivery = 0; delivery < 2; delivery += 1) {
            const failure: unknown = await stack.load(event).catch((error: unknown) => error);
            expect(failure).toBeInstanceOf(WrongHeaderError);
            expect(failure).toMatchObject({ retryable: false, message: expect.stringContaining("player_id,churn_label") as string });
        }
        expect(await stack.rows("SELECT * FROM prediction_loads")).toEqual([]);
    });

    test.each([
        ["another container", { container: "logs", path: "a/b.csv" }],
        ["another kind of file", { container: "predictions", path: "a/b.csv.rejected.jsonl" }],
    ])("refuses the event of %s", async (_name, blob) => {
        await expect(stack.load({ ...blob, etag: "0x1" })).rejects.toBeInstanceOf(MessageError);
    });

    test("succeeds without Redis, says so, and a repeated delivery fills it", async () => {
        const down = stack.cacheAt(1);
        const event = await stack.written(csvOf([scored("without redis", later)]));
        const result = await loadPredictions(event, { ...stack.given(), cache: down });
        await down.close();
        expect(result).toEqual({ outcome: "loaded", rows: 1, rejected: 0, cached: false });
        expect(stack.warnings).toHaveLength(1);
        expect(Object.keys(await stack.stored())).toEqual(["without redis"]);
        expect(await stack.cache.getMany(["without redis"])).toEqual([undefined]);
        expect(await stack.load(event)).toMatchObject({ outcome: "repeated", cached: true });
        expect(await stack.cache.getMany(["without redis"])).toMatchObject([{ scoredAt: later }]);
    });

    test.each([
        ["is down", { DATABASE_PORT: 1 }, true],
        ["refuses the user", { DATABASE_PASSWORD: "wrong" }, false],
    ])("fails with a typed error when the database %s, and loads nothing anywhere", async (_name, change, retryable) => {
        const event = await stack.written(csvOf([scored("without database", later)]));
        const other = stack.databaseOf(change);
        const failure: unknown = await loadPredictions(event, { ...stack.given(), database: other }).catch((error: unknown) => error);
        await other.close();
        expect(failure).toBeInstanceOf(DatabaseError);
        expect(failure).toMatchObject({ retryable });
        expect(await stack.cache.getMany(["without database"])).toEqual([undefined]);
    });

    test("loads nothing of a file that changes or breaks off while it is read", async () => {
        const event = await stack.written(csvOf(Array.from({ length: 3_000 }, (_, index) => scored(`p${index}`, later))));
        await stack.load(await stack.written(csvOf([]), "a/tables.csv"));
        async function* broken() {
            const [first] = (await (await stack.parts.lake.download("predictions", file, event.etag)).take(1).toArray()) as [Buffer];
            yield first;
            throw new Error("link lost");
        }
        const lake = { ...stack.parts.lake, download: () => Promise.resolve(Readable.from(broken())) };
        await expect(loadPredictions(event, { ...stack.given(), lake })).rejects.toThrow("link lost");
        expect(await stack.stored()).toEqual({});
        expect(await stack.load(event)).toMatchObject({ outcome: "loaded", rows: 3_000 });
    });

    // Two looks at the tables, the staging table, the transaction as a whole; in it the ledger row, two calls for the rejected row, the rows,
    // the merge, the ledger's counts; then the staging table's end, the cache and the ledger's note of it: 13. The next never comes.
    const changes = 13;
    const points = Array.from({ length: changes + 1 }, (_, index) => index + 1);
    test.each(points.flatMap((call) => [["before", call] as const, ["after", call] as const]))(
        "killed %s change %i, is finished by the next delivery",
        async (when, call) => {
            await stack.load(await stack.written(csvOf([scored("p1", earlier)]), "a/before.csv"));
            const predictions = Array.from({ length: 1_500 }, (_, index) => scored(`p${index}`, later));
            const event = await stack.written(`${csvOf(predictions)}bad row\n`);
            const life = mortal(call, when);
            const killed: Database = {
                ...stack.database,
                session: (work) => stack.database.session((session) => work(life.wrap(session, ["run", "loadLocal", "transaction"]))),
            };
            await loadPredictions(event, {
                ...stack.given(),
                database: life.wrap(killed, []),
                lake: life.wrap(stack.parts.lake, ["createAppendable", "append"]),
                cache: life.wrap(stack.cache, ["putMany"]),
            }).catch(() => undefined);
            expect(life.dead).toBe(call <= changes);
            // Whatever was left: all of the file or nothing.
            expect([1, 1_500]).toContain(Object.keys(await stack.stored()).length);

            await stack.load(event);
            const found = await stack.stored();
            expect(Object.keys(found)).toHaveLength(1_500);
            expect(new Set(Object.values(found))).toEqual(new Set([`${later} 0.500000`]));
            const ledger = await stack.rows(`SELECT \`rows\`, rejected FROM prediction_loads WHERE file = '${file}'`);
            expect(ledger).toEqual([{ rows: 1_500, rejected: 1 }]);
            expect((await stack.parts.contents("predictions"))[`${file}.rejected.jsonl`]?.trimEnd().split("\n")).toHaveLength(1);
            expect(await stack.cache.getMany(["p0", "p1499"])).toMatchObject([{ scoredAt: later }, { scoredAt: later }]);
        },
    );
});
