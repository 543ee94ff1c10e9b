import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { CacheUnavailableError, createPredictionCache, type PredictionCache } from "../../../functions/clients/cache";
import { type CacheParts, startCacheParts } from "./cache-parts";
import { modelVersion, prediction } from "./predictions";

let parts: CacheParts;
let cache: PredictionCache;
let now = Date.UTC(2026, 1, 1);

beforeAll(async () => {
    parts = await startCacheParts();
    cache = parts.open({}, () => now);
});
beforeEach(async () => {
    parts.proxy.open();
    await parts.admin.flushall();
    await vi.waitFor(() => cache.ping(), { timeout: 30_000 });
});
afterAll(() => parts.stop());

describe("the cache", () => {
    test("gives back what was stored, in the order asked for, and nothing for others", async () => {
        const stored = [prediction("a"), prediction("플레이어", { segment: { id: 0, name: "newcomers" }, modelVersion: "2" })];
        await cache.putMany(stored);
        const freshUntil = new Date(now + 3_600_000);
        expect(await cache.getMany(["플레이어", "none", "a"])).toEqual([
            { ...stored[1], freshUntil },
            undefined,
            { ...stored[0], freshUntil },
        ]);
        expect(await cache.getMany([])).toEqual([]);
        await cache.putMany([]);
    });

    test("is read by a process that wrote none of it, segment names too", async () => {
        await cache.putMany([prediction("a")]);
        const other = parts.open();
        expect(await other.getMany(["a"])).toMatchObject([{ segment: prediction("a").segment }]);
    });

    test("keeps a prediction beyond its freshness, for as long as the settings say", async () => {
        await cache.putMany([prediction("a")]);
        expect(await parts.admin.ttl("p:a")).toBeGreaterThan(86_390);
        expect(await parts.admin.ttl(`m:${modelVersion}`)).toBe(-1);
    });

    test("keeps the newest prediction, in whatever order they come", async () => {
        const at = (second: number) => prediction("a", { scoredAt: new Date(Date.UTC(2026, 0, 31, 12, 0, second)).toISOString() });
        const orders = [1, 3, 2, 3, 0].map((second) => cache.putMany([at(second)]));
        await Promise.all(orders);
        expect((await cache.getMany(["a"]))[0]?.scoredAt).toBe(at(3).scoredAt);
    });

    test("does not make a prediction fresh again that is stored a second time", async () => {
        await cache.putMany([prediction("a")]);
        const freshUntil = new Date(now + 3_600_000);
        now += 60_000;
        await cache.putMany([prediction("a")]);
        expect((await cache.getMany(["a"]))[0]?.freshUntil).toEqual(freshUntil);
    });

    test("takes values of another shape, and values whose segment has no name, for misses, and writes over them", async () => {
        await parts.admin.set("p:old", '{"Scored Labels":"Y"}');
        const other = parts.open();
        await cache.putMany([prediction("a", { modelVersion: "nameless" })]);
        await parts.admin.del("m:nameless");
        expect(await other.getMany(["old", "a"])).toEqual([undefined, undefined]);
        await cache.putMany([prediction("old"), prediction("b", { modelVersion: "nameless" })]);
        expect(await other.getMany(["old", "a"])).toMatchObject([{ playerId: "old" }, { playerId: "a" }]);
    });

    test("reads for many who ask at the same time with one command, and gives each its own", async () => {
        await cache.putMany(["a", "b", "c"].map((playerId) => prediction(playerId)));
        const reads = async () => Number(/cmdstat_mget:calls=(\d+)/.exec(await parts.admin.info("commandstats"))?.[1] ?? 0);
        const before = await reads();
        const asked = [["a"], ["b", "none"], [], ["c", "a"]];
        const answers = await Promise.all(asked.map((playerIds) => cache.getMany(playerIds)));
        expect(answers.map((answer) => answer.map((one) => one?.playerId))).toEqual([["a"], ["b", undefined], [], ["c", "a"]]);
        expect((await reads()) - before).toBe(1);
    });

    test("takes at most 200 bytes a player, however many are loaded at once", async () => {
        const players = 100_000;
        const used = async () => Number(/used_memory:(\d+)/.exec(await parts.admin.info("memory"))?.[1]);
        const before = await used();
        await cache.putMany(Array.from({ length: players }, (_, i) => prediction(String(10_000_000 + i))));
        expect(await parts.admin.object("ENCODING", "p:10000000")).toBe("embstr");
        expect(await parts.admin.dbsize()).toBe(players + 1);
        expect(((await used()) - before) / players).toBeLessThan(200);
    });
});

describe("the cache's connection", () => {
    test("may be down at the start: commands fail at once, and work when the cache is up", async () => {
        parts.proxy.close();
        const late = parts.open();
        await expect(late.getMany(["a"])).rejects.toThrow(CacheUnavailableError);
        await expect(late.putMany([prediction("a")])).rejects.toThrow(/not connected/);
        parts.proxy.open();
        await vi.waitFor(() => late.putMany([prediction("a")]), { timeout: 30_000 });
        expect(await late.getMany(["a"])).toMatchObject([{ playerId: "a" }]);
    });

    test("that hangs fails a command after half a second, and is given up for a new one", async () => {
        await cache.putMany([prediction("a")]);
        parts.proxy.hang();
        await expect(cache.getMany(["a"])).rejects.toThrow(CacheUnavailableError);
        await sleep(3_500);
        parts.proxy.open();
        await vi.waitFor(() => cache.getMany(["a"]), { timeout: 30_000 });
    });

    test("to a server that has become a replica fails the write, and a new one is taken", async () => {
        await parts.admin.replicaof("127.0.0.1", "1");
        try {
            await expect(cache.putMany([prediction("a")])).rejects.toThrow(/READONLY/);
        } finally {
            await parts.admin.replicaof("NO", "ONE");
        }
        await vi.waitFor(() => cache.putMany([prediction("a")]), { timeout: 30_000 });
    });

    test("that the server refuses says so, without the token", async () => {
        await cache.ping();
        const refused = createPredictionCache({ ...parts.settings, REDIS_USERNAME: "someone-else" }, parts.credential());
        const error = await refused.ping().catch((reason: unknown) => reason);
        await refused.close();
        expect(error).toBeInstanceOf(CacheUnavailableError);
        expect(String(error)).toContain("WRONGPASS");
        const shown = inspect(error, { depth: 10 });
        for (const token of parts.tokens) {
            expect(shown).not.toContain(token);
        }
    });

    test("without a token fails the commands, not the process", async () => {
        const none = createPredictionCache(parts.settings, { getToken: () => Promise.reject(new Error("no identity here")) });
        await expect(none.ping()).rejects.toThrow(/no identity here/);
        await none.close();
    });
});
