import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../../functions/clients/database";
import { DatabaseError } from "../../../functions/clients/database-errors";
import { CacheUnavailableError } from "../../../functions/clients/cache";
import type { Lake } from "../../../functions/clients/lake";
import { repairCache } from "../../../functions/load/load";
import { file, loadedAt, LoadStack, scored } from "./load-stack";
import { csvOf, prediction } from "./predictions";

const earlier = "2026-01-30T12:00:00.000Z";
const later = "2026-02-01T12:00:00.000Z";

describe("load, when something is not as usual", () => {
    let stack: LoadStack;
    beforeAll(async () => {
        stack = await LoadStack.start();
    });
    afterAll(() => stack.stop());
    beforeEach(() => stack.clear());
    afterEach(() => stack.root.query("SET GLOBAL local_infile = ON, GLOBAL read_only = OFF"));

    /** The lake, with something happening before the first download: the load is in its transaction then, and nothing is staged. */
    function lakeWith(beforeFirstDownload: () => Promise<void>): Lake {
        let downloads = 0;
        return {
            ...stack.parts.lake,
            async download(...version) {
                downloads += 1;
                if (downloads === 1) {
                    await beforeFirstDownload();
                }
                return stack.parts.lake.download(...version);
            },
        };
    }

    /** The database, with something happening before the second session. */
    function databaseWith(beforeSecondSession: () => Promise<void>): Database {
        let sessions = 0;
        return {
            ...stack.database,
            async session(work) {
                sessions += 1;
                if (sessions === 2) {
                    await beforeSecondSession();
                }
                return stack.database.session(work);
            },
        };
    }

    test("brings the same into the database where the server does not allow LOAD DATA LOCAL", async () => {
        const odd = ["tab\tand\\t", "back\\slash\\", "line\nfeed\r\n", "zero\0byte", "\\N", "NULL", "'quoted\"", "한국 💎"];
        const predictions = [...odd.map((id) => prediction(id, { segment: { id: 7, name: id } })), ...Array.from({ length: 2_500 }, (_, i) => prediction(`p${i}`))];
        await stack.load(await stack.written(csvOf(predictions)));
        const byLocalData = await stack.rows("SELECT * FROM player_predictions ORDER BY player_id");
        expect(byLocalData).toHaveLength(predictions.length);
        expect(byLocalData).toEqual(expect.arrayContaining(odd.map((id) => expect.objectContaining({ player_id: id, segment_name: id }) as unknown)));

        await stack.clear();
        await stack.root.query("SET GLOBAL local_infile = OFF");
        expect(await stack.load(await stack.written(csvOf(predictions)))).toMatchObject({ outcome: "loaded", rows: predictions.length });
        expect(stack.logged).toContainEqual(expect.objectContaining({ step: "staged", way: "INSERT" }));
        expect(await stack.rows("SELECT * FROM player_predictions ORDER BY player_id")).toEqual(byLocalData);
    });

    test("needs no more rights than the README gives the user", async () => {
        const readme = readFileSync("README.md", "utf8");
        const grants = readme.match(/^GRANT .* TO 'predictions'@'%';$/gmu) ?? [];
        expect(grants.length).toBeGreaterThan(0);
        await stack.root.query("CREATE OR REPLACE USER 'reader'@'%' IDENTIFIED BY 'its password' REQUIRE SSL");
        for (const grant of grants) {
            await stack.root.query(grant.replace("'predictions'", "'reader'"));
        }
        const database = stack.databaseOf({ DATABASE_USER: "reader", DATABASE_PASSWORD: "its password" });
        const result = await stack.load(await stack.written(csvOf([scored("p", later)])), { database });
        await database.close();
        expect(result).toEqual({ outcome: "loaded", rows: 1, rejected: 0, cached: true });
    });

    test("tells what to grant where the user lacks a right", async () => {
        await stack.root.query("CREATE OR REPLACE USER 'reader'@'%' IDENTIFIED BY 'its password' REQUIRE SSL");
        await stack.root.query("GRANT SELECT, INSERT, UPDATE, CREATE ON game.* TO 'reader'@'%'");
        const database = stack.databaseOf({ DATABASE_USER: "reader", DATABASE_PASSWORD: "its password" });
        const failure: unknown = await stack.load(await stack.written(csvOf([scored("p", later)])), { database }).catch((error: unknown) => error);
        await database.close();
        expect(failure).toMatchObject({ name: "DatabaseError", retryable: false, message: expect.stringContaining("README") as string });
    });

    test("brings a ledger of before up to date", async () => {
        await stack.load(await stack.written(csvOf([scored("p", earlier)])));
        await stack.root.query("ALTER TABLE prediction_loads DROP KEY cache_pending, DROP COLUMN cache_pending");
        const events = await Promise.all(["a/1.csv", "a/2.csv"].map((name) => stack.written(csvOf([scored("p", later)]), name)));
        const results = await Promise.all(events.map((event) => stack.load(event)));
        expect(results).toEqual([0, 1].map(() => ({ outcome: "loaded", rows: 1, rejected: 0, cached: true })));
        expect(await stack.rows("SELECT SUM(cache_pending) AS pending FROM prediction_loads")).toEqual([{ pending: "0" }]);
    });

    test("logs each step that has an effect", async () => {
        await stack.load(await stack.written(csvOf([scored("p", later)])));
        expect(stack.logged.map(({ step }) => step)).toEqual(["opened", "staged", "merged", "committed", "cached", undefined]);
    });

    test("does all again when the connection is lost", async () => {
        const event = await stack.written(csvOf([scored("p", later)]));
        const lake = lakeWith(async () => {
            const connections = await stack.rows<{ id: number }>("SELECT id FROM information_schema.processlist WHERE user = 'predictions'");
            for (const { id } of connections) {
                await stack.root.query(`KILL CONNECTION ${id}`);
            }
        });
        expect(await stack.load(event, { lake })).toMatchObject({ outcome: "loaded", rows: 1, cached: true });
        expect(stack.warnings).toHaveLength(1);
        expect(Object.keys(await stack.stored())).toEqual(["p"]);
    });

    test("does all again when the server became read-only, on another connection", async () => {
        await stack.load(await stack.written(csvOf([scored("p", earlier)])));
        const event = await stack.written(csvOf([scored("p", later)]));
        const setReadOnly = async (value: "ON" | "OFF") => void (await stack.root.query(`SET GLOBAL read_only = ${value}`));
        const result = await stack.load(event, { lake: lakeWith(() => setReadOnly("ON")), database: databaseWith(() => setReadOnly("OFF")) });
        expect(result).toMatchObject({ outcome: "loaded", rows: 1, cached: true });
        expect(stack.warnings).toHaveLength(1);
        expect(await stack.stored()).toEqual({ p: `${later} 0.500000` });
    });

    test("gives up after some tries while the server stays read-only, for the queue to deliver again", async () => {
        await stack.load(await stack.written(csvOf([scored("p", earlier)])));
        const event = await stack.written(csvOf([scored("p", later)]));
        await stack.root.query("SET GLOBAL read_only = ON");
        const failure: unknown = await stack.load(event).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(DatabaseError);
        expect(failure).toMatchObject({ code: "ER_OPTION_PREVENTS_STATEMENT", retryable: true });
        expect(stack.warnings).toHaveLength(3);
        await stack.root.query("SET GLOBAL read_only = OFF");
        expect(await stack.load(event)).toMatchObject({ outcome: "loaded" });
    });

    test("does all again after a deadlock", async () => {
        const players = ["a", "b", ...Array.from({ length: 500 }, (_, i) => `heavy ${i}`)];
        await stack.load(await stack.written(csvOf(players.map((id) => scored(id, earlier)))));
        const event = await stack.written(csvOf([scored("a", later), scored("b", later)]));
        let other: Promise<void> | undefined;
        const lake = lakeWith(async () => {
            // Heavier than the load, so that the server ends that one; it holds `b`, and then wants `a`.
            await stack.root.beginTransaction();
            await stack.root.query("UPDATE player_predictions SET segment_id = 9 WHERE player_id LIKE 'heavy %' OR player_id = 'b'");
            other = (async () => {
                const waiting = "SELECT COUNT(*) AS n FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
                while ((await stack.rows<{ n: number }>(waiting))[0]?.n === 0) {
                    // The table shows what it showed before to who reads it again within 0.1 s.
                    await sleep(300);
                }
                await stack.root.query("UPDATE player_predictions SET segment_id = 9 WHERE player_id = 'a'");
                await stack.root.commit();
            })();
        });
        const result = await stack.load(event, { lake });
        await other;
        expect(result).toMatchObject({ outcome: "loaded", rows: 2 });
        expect(stack.warnings).toEqual([expect.stringContaining("Deadlock")]);
        expect(await stack.stored()).toMatchObject({ a: `${later} 0.500000`, b: `${later} 0.500000` });
    });

    test("what the cache lacks, as it was down, the next load brings there", async () => {
        const down = stack.cacheAt(1);
        const [one, two] = [await stack.written(csvOf([scored("one", later)]), "a/1.csv"), await stack.written(csvOf([scored("two", later)]), "a/2.csv")];
        await stack.load(one, { cache: down });
        await stack.load(two, { cache: down });
        await down.close();
        // The second is rewritten since, and so not for this load.
        await stack.written(csvOf([scored("two", later)]), "a/2.csv");
        expect(await stack.cached(["one", "two"])).toEqual({});

        const soon = await stack.written(csvOf([scored("soon", later)]), "a/3.csv");
        await stack.load(soon);
        expect(await stack.cached(["one"])).toEqual({});

        const event = await stack.written(csvOf([scored("three", later)]), "a/4.csv");
        await stack.load(event, { now: () => new Date(loadedAt.getTime() + 3_600_000) });
        expect(await stack.cached(["one", "two", "three"])).toEqual({ one: `${later} 0.500000`, three: `${later} 0.500000` });
        expect(await stack.rows("SELECT file FROM prediction_loads WHERE cache_pending")).toEqual([]);
    });

    test("what the cache lacks and no load follows, the timer brings there, so many files at a time", async () => {
        const down = stack.cacheAt(1);
        for (const name of ["one", "two", "three"]) {
            await stack.load(await stack.written(csvOf([scored(name, later)]), `a/${name}.csv`), { cache: down });
        }
        await down.close();
        const afterwards = { ...stack.given(), now: () => new Date(loadedAt.getTime() + 3_600_000) };
        await repairCache(afterwards, 2);
        expect(await stack.rows("SELECT COUNT(*) AS files FROM prediction_loads WHERE cache_pending")).toEqual([{ files: 1 }]);
        await repairCache(afterwards, 2);
        expect(Object.keys(await stack.cached(["one", "two", "three"])).toSorted()).toEqual(["one", "three", "two"]);
    });

    test("a batch that the cache was too slow for once is given to it again", async () => {
        let puts = 0;
        const slowOnce = {
            putMany: (...given: Parameters<typeof stack.cache.putMany>) => {
                puts += 1;
                return puts === 1 ? Promise.reject(new CacheUnavailableError("command timed out")) : stack.cache.putMany(...given);
            },
        };
        const result = await stack.load(await stack.written(csvOf([scored("p", later)])), { cache: slowOnce });
        expect(result).toMatchObject({ outcome: "loaded", cached: true });
        expect(stack.warnings).toEqual([]);
        expect(await stack.cached(["p"])).toEqual({ p: `${later} 0.500000` });
    });

    test("a row that is older than the database does not get into a cache that lost the newer one", async () => {
        await stack.load(await stack.written(csvOf([scored("p", later), scored("q", earlier)])));
        await stack.redisAdmin.flushall();
        await stack.load(await stack.written(csvOf([scored("p", earlier, 0.9), scored("q", later, 0.9)]), "a/older.csv"));
        expect(await stack.cached(["p", "q"])).toEqual({ q: `${later} 0.900000` });

        // Told again of the first, whose cache is marked as lacking: `p` is the newest still, `q` is not.
        await stack.redisAdmin.flushall();
        await stack.root.query(`UPDATE prediction_loads SET cache_pending = TRUE WHERE file = '${file}'`);
        const blob = await stack.parts.lake.find("predictions", file);
        await stack.load({ container: "predictions", path: file, etag: blob?.etag ?? "" });
        expect(await stack.cached(["p", "q"])).toEqual({ p: `${later} 0.500000` });
    });
});
