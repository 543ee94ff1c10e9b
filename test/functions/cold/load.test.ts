import { Readable } from "node:stream";
import { Redis } from "ioredis";
import mysql, { type Connection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createPredictionCache, type PredictionCache } from "../../../functions/clients/cache";
import { createDatabase, type Database } from "../../../functions/clients/database";
import { DatabaseError } from "../../../functions/clients/database-errors";
import { type BlobCreated, MessageError, parseBlobCreated } from "../../../functions/events/blob-created";
import { loadPredictions, type LoadResult } from "../../../functions/load/load";
import { WrongHeaderError } from "../../../functions/load/row";
import type { FingerprintedPrediction } from "../../../functions/prediction";
import { type MariaDbPart, startMariaDb } from "../../../local/parts/mariadb";
import { startRedis } from "../../../local/parts/redis";
import { eventOf } from "./events";
import { mortal } from "./mortal";
import { type ColdParts, startColdParts } from "./parts";
import { csvOf, prediction } from "./predictions";

const file = "players/dt=2026-01-31/0123456789abcdef/part-0000.csv";
const earlier = "2026-01-30T12:00:00.000Z";
const later = "2026-02-01T12:00:00.000Z";

describe("load", () => {
    let parts: ColdParts;
    let server: MariaDbPart;
    let database: Database;
    let cache: PredictionCache;
    let reader: Connection;
    let admin: Redis;
    let warnings: string[];

    beforeAll(async () => {
        parts = await startColdParts();
        const [mariadb, redis] = await Promise.all([
            startMariaDb(parts.workshop, { database: "game", user: "predictions", password: "a password" }),
            startRedis(parts.workshop, {}),
        ]);
        server = mariadb;
        await redis.allowUser(parts.principalId);
        parts.identity.onIssue(({ audience, principalId, token }) =>
            audience === "https://redis.azure.com" ? redis.setPassword(principalId, token) : Promise.resolve(),
        );
        database = databaseOf({});
        cache = cacheAt(redis.port);
        const { host, port, user, password, database: name } = server;
        reader = await mysql.createConnection({ host, port, user, password, database: name, ssl: {}, timezone: "Z" });
        admin = new Redis({ host: redis.host, port: redis.port, password: redis.adminPassword, tls: {} });
    });
    afterAll(async () => {
        await reader.end();
        admin.disconnect();
        await database.close();
        await cache.close();
        await parts.stop();
    });
    beforeEach(async () => {
        warnings = [];
        await parts.clear();
        await admin.flushall();
        await reader.query("DROP TABLE IF EXISTS player_predictions, prediction_loads");
    });

    function databaseOf(change: { DATABASE_PORT?: number; DATABASE_PASSWORD?: string }): Database {
        return createDatabase(
            {
                AWS_REGION: "eu-west-1",
                DATABASE_HOST: server.host,
                DATABASE_PORT: server.port,
                DATABASE_NAME: server.database,
                DATABASE_USER: server.user,
                DATABASE_AUTH: "password",
                DATABASE_PASSWORD: server.password,
                ...change,
            },
            () => Promise.reject(new Error("password authentication needs no AWS credentials")),
        );
    }

    function cacheAt(port: number): PredictionCache {
        return createPredictionCache(
            {
                REDIS_HOST: "127.0.0.1",
                REDIS_PORT: port,
                REDIS_USERNAME: parts.principalId,
                PREDICTION_FRESH_SECONDS: 3_600,
                PREDICTION_KEEP_SECONDS: 86_400,
            },
            parts.credential,
        );
    }

    const given = () => ({
        lake: parts.lake,
        database,
        cache,
        freshSeconds: 90_000,
        now: () => new Date("2026-02-02T12:00:00.500Z"),
        log: { log: () => undefined, warn: (line: string) => void warnings.push(line) },
        retryDelayMs: 20,
    });

    /** Writes the file and gives the event of it. */
    async function written(content: string, path = file): Promise<BlobCreated> {
        const bytes = Buffer.from(content);
        await parts.container("predictions").getBlockBlobClient(path).uploadData(bytes);
        const blob = await parts.lake.find("predictions", path);
        return parseBlobCreated(eventOf("predictions", path, blob?.etag ?? ""));
    }

    const load = (event: BlobCreated): Promise<LoadResult> => loadPredictions(event, given());

    async function rows<T>(sql: string): Promise<T[]> {
        const [found] = await reader.query<RowDataPacket[]>(sql);
        return found.map((row) => ({ ...row })) as T[];
    }

    /** Each player's time of scoring and probability, as the database has them. */
    async function stored(): Promise<Record<string, string>> {
        const found = await rows<{ id: string; at: Date; churn: string }>(
            "SELECT player_id id, scored_at at, churn_probability churn FROM player_predictions ORDER BY player_id",
        );
        return Object.fromEntries(found.map(({ id, at, churn }) => [id, `${at.toISOString()} ${churn}`]));
    }

    const scored = (playerId: string, scoredAt: string, churn = 0.5): FingerprintedPrediction =>
        prediction(playerId, { scoredAt, churn: { label: churn >= 0.5, probability: churn } });

    test("brings every column of a file into the database and every prediction into the cache", async () => {
        const predictions = [
            prediction("1"),
            prediction("한국 플레이어 💎", { churn: { label: false, probability: 0.000001 }, segment: { id: 255, name: "밤 올빼미 🌙" } }),
            prediction("quote'\"\\ and , comma\nand line", { purchase: { label: true, probability: 1 } }),
            prediction("case"),
            prediction("CASE"),
        ];
        const event = await written(csvOf(predictions));
        expect(await load(event)).toEqual({ outcome: "loaded", rows: 5, rejected: 0, cached: true });

        const found = await rows<Record<string, unknown>>("SELECT * FROM player_predictions ORDER BY player_id");
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
        const cached = await cache.getMany(predictions.map(({ playerId }) => playerId));
        expect(cached).toMatchObject(predictions);
        // Fresh until the next batch, not for the hour of a prediction that was made for a request.
        expect(Math.min(...cached.map((each) => each?.freshUntil.getTime() ?? 0))).toBeGreaterThan(Date.now() + 80_000_000);
        expect(await rows("SELECT file, etag, `rows`, rejected, loaded_at FROM prediction_loads")).toEqual([
            { file, etag: event.etag, rows: 5, rejected: 0, loaded_at: new Date("2026-02-02T12:00:00.500Z") },
        ]);
    });

    test("loads a file once, however often and at the same time it is told of it", async () => {
        const event = await written(csvOf(Array.from({ length: 2_500 }, (_, index) => scored(`p${index}`, later))));
        const results = await Promise.all([load(event), load(event), load(event)]);
        expect(results.map(({ outcome }) => outcome).sort()).toEqual(["loaded", "repeated", "repeated"]);
        expect(results.every(({ cached }) => cached)).toBe(true);
        expect(await rows("SELECT `rows` FROM prediction_loads")).toEqual([{ rows: 2_500 }]);
        expect(Object.keys(await stored())).toHaveLength(2_500);
    });

    test.each([
        ["older after newer", [later, earlier]],
        ["newer after older", [earlier, later]],
    ])("keeps the newest score of each player: %s", async (_name, order) => {
        for (const scoredAt of order) {
            const both = scored("both", scoredAt, scoredAt === later ? 0.9 : 0.1);
            await load(await written(csvOf([both, scored(`only ${scoredAt}`, scoredAt)]), `a/${scoredAt}.csv`));
        }
        expect(await stored()).toEqual({
            both: `${later} 0.900000`,
            [`only ${earlier}`]: `${earlier} 0.500000`,
            [`only ${later}`]: `${later} 0.500000`,
        });
        expect(await cache.getMany(["both"])).toMatchObject([{ scoredAt: later, churn: { probability: 0.9 } }]);
    });

    test("keeps the newest of a player that is in one file twice", async () => {
        await load(await written(csvOf([scored("p", later, 0.9), scored("p", earlier, 0.1)])));
        expect(await stored()).toEqual({ p: `${later} 0.900000` });
    });

    test("loads a file that was rewritten again, and the event of before does nothing more", async () => {
        const first = await written(csvOf([scored("p", earlier, 0.1)]));
        await load(first);
        const second = await written(csvOf([scored("p", later, 0.9)]));
        expect(await load(first)).toMatchObject({ outcome: "loaded", rows: 1 });
        expect(await load(second)).toMatchObject({ outcome: "repeated" });
        expect(await stored()).toEqual({ p: `${later} 0.900000` });
        const etags = [first.etag, second.etag].sort();
        expect(await rows("SELECT etag FROM prediction_loads ORDER BY etag")).toEqual(etags.map((etag) => ({ etag })));
    });

    test("has nothing to do for a file that is gone", async () => {
        const event = await written(csvOf([scored("p", later)]));
        await parts.lake.remove("predictions", file);
        expect(await load(event)).toEqual({ outcome: "gone", rows: 0, rejected: 0, cached: false });
    });

    test("sets bad rows aside in a blob beside the file, and loads the others", async () => {
        const [header, one, two] = csvOf([scored("one", later), scored("two", later)]).split("\n");
        const event = await written([header, "", "bad,row", one, two?.replace("0.5", "1.5"), two, ""].join("\n"));
        expect(await load(event)).toMatchObject({ outcome: "loaded", rows: 2, rejected: 2 });
        expect(Object.keys(await stored())).toEqual(["one", "two"]);
        expect(await rows("SELECT `rows`, rejected FROM prediction_loads")).toEqual([{ rows: 2, rejected: 2 }]);
        const lines = (await parts.contents("predictions"))[`${file}.rejected.jsonl`]?.trimEnd().split("\n") ?? [];
        expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
            { line: 3, reason: "has 2 fields, expected 10", row: "bad,row" },
            { line: 5, reason: expect.stringContaining("churn_probability") as string, row: two?.replace("0.5", "1.5") },
        ]);

        await load(await written(csvOf([scored("one", later)])));
        expect(Object.keys(await parts.contents("predictions"))).toEqual([file]);
    });

    test("refuses a file with a wrong header whole, each time", async () => {
        const event = await written(csvOf([scored("one", later)]).replace("churn_label", "label"));
        for (let delivery = 0; delivery < 2; delivery += 1) {
            const failure: unknown = await load(event).catch((error: unknown) => error);
            expect(failure).toBeInstanceOf(WrongHeaderError);
            expect(failure).toMatchObject({ retryable: false, message: expect.stringContaining("player_id,churn_label") as string });
        }
        expect(await rows("SELECT * FROM prediction_loads")).toEqual([]);
    });

    test.each([
        ["another container", { container: "logs", path: "a/b.csv" }],
        ["another kind of file", { container: "predictions", path: "a/b.csv.rejected.jsonl" }],
    ])("refuses the event of %s", async (_name, blob) => {
        await expect(load({ ...blob, etag: "0x1" })).rejects.toBeInstanceOf(MessageError);
    });

    test("succeeds without Redis, says so, and a repeated delivery fills it", async () => {
        const down = cacheAt(1);
        const event = await written(csvOf([scored("without redis", later)]));
        const result = await loadPredictions(event, { ...given(), cache: down });
        await down.close();
        expect(result).toEqual({ outcome: "loaded", rows: 1, rejected: 0, cached: false });
        expect(warnings).toHaveLength(1);
        expect(Object.keys(await stored())).toEqual(["without redis"]);
        expect(await cache.getMany(["without redis"])).toEqual([undefined]);
        expect(await load(event)).toMatchObject({ outcome: "repeated", cached: true });
        expect(await cache.getMany(["without redis"])).toMatchObject([{ scoredAt: later }]);
    });

    test.each([
        ["is down", { DATABASE_PORT: 1 }, true],
        ["refuses the user", { DATABASE_PASSWORD: "wrong" }, false],
    ])("fails with a typed error when the database %s, and loads nothing anywhere", async (_name, change, retryable) => {
        const event = await written(csvOf([scored("without database", later)]));
        const other = databaseOf(change);
        const failure: unknown = await loadPredictions(event, { ...given(), database: other }).catch((error: unknown) => error);
        await other.close();
        expect(failure).toBeInstanceOf(DatabaseError);
        expect(failure).toMatchObject({ retryable });
        expect(await cache.getMany(["without database"])).toEqual([undefined]);
    });

    test("loads nothing of a file that changes or breaks off while it is read", async () => {
        const event = await written(csvOf(Array.from({ length: 3_000 }, (_, index) => scored(`p${index}`, later))));
        await load(await written(csvOf([]), "a/tables.csv"));
        async function* broken() {
            const [first] = (await (await parts.lake.download("predictions", file, event.etag)).take(1).toArray()) as [Buffer];
            yield first;
            throw new Error("link lost");
        }
        const lake = { ...parts.lake, download: () => Promise.resolve(Readable.from(broken())) };
        await expect(loadPredictions(event, { ...given(), lake })).rejects.toThrow("link lost");
        expect(await stored()).toEqual({});
        expect(await load(event)).toMatchObject({ outcome: "loaded", rows: 3_000 });
    });

    // Two looks at the tables, the staging table, the transaction as a whole; in it the ledger row, two calls for the rejected row, the rows,
    // the merge, the ledger's counts; then the staging table's end, the cache and the ledger's note of it: 13. The next never comes.
    const changes = 13;
    const points = Array.from({ length: changes + 1 }, (_, index) => index + 1);
    test.each(points.flatMap((call) => [["before", call] as const, ["after", call] as const]))(
        "killed %s change %i, is finished by the next delivery",
        async (when, call) => {
            await load(await written(csvOf([scored("p1", earlier)]), "a/before.csv"));
            const predictions = Array.from({ length: 1_500 }, (_, index) => scored(`p${index}`, later));
            const event = await written(`${csvOf(predictions)}bad row\n`);
            const life = mortal(call, when);
            const killed: Database = {
                ...database,
                session: (work) => database.session((session) => work(life.wrap(session, ["run", "loadLocal", "transaction"]))),
            };
            await loadPredictions(event, {
                ...given(),
                database: life.wrap(killed, []),
                lake: life.wrap(parts.lake, ["createAppendable", "append"]),
                cache: life.wrap(cache, ["putMany"]),
            }).catch(() => undefined);
            expect(life.dead).toBe(call <= changes);
            // Whatever was left: all of the file or nothing.
            expect([1, 1_500]).toContain(Object.keys(await stored()).length);

            await load(event);
            const found = await stored();
            expect(Object.keys(found)).toHaveLength(1_500);
            expect(new Set(Object.values(found))).toEqual(new Set([`${later} 0.500000`]));
            const ledger = await rows(`SELECT \`rows\`, rejected FROM prediction_loads WHERE file = '${file}'`);
            expect(ledger).toEqual([{ rows: 1_500, rejected: 1 }]);
            expect((await parts.contents("predictions"))[`${file}.rejected.jsonl`]?.trimEnd().split("\n")).toHaveLength(1);
            expect(await cache.getMany(["p0", "p1499"])).toMatchObject([{ scoredAt: later }, { scoredAt: later }]);
        },
    );
});
