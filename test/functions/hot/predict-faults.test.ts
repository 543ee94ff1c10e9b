import { describe, expect, test, vi } from "vitest";
import { CacheUnavailableError } from "../../../functions/clients/cache";
import { modelAnswer } from "./model-server";
import { madeAgo, startPredicting } from "./predicting";
import { playerFeatures } from "./predictions";

const hot = startPredicting();
const features = playerFeatures();

describe("a request under faults", () => {
    test.each([
        ["down", { status: 503 }],
        ["throttling", { status: 429 }],
        ["failing", { status: 424 }],
        ["hanging", { fault: "hang" }],
        ["answering nonsense", { body: "{}" }],
    ] as const)("with the model %s: the stored prediction flagged, or an error for that player alone", async (_, reply) => {
        hot.server.always = () => reply;
        await hot.cache.putMany([madeAgo("fresh"), madeAgo("other", 60, { modelVersion: "ffffffffffff" })]);
        const players = ["fresh", "other", "none"].map((playerId) => ({ playerId, features }));
        const { predictions, errors } = await hot.answer({ players }, { REQUEST_DEADLINE_MS: 1_000 });
        expect(predictions.map((one) => one.source)).toEqual(["cache", "stale"]);
        expect(errors).toMatchObject([{ playerId: "none", code: "model_unavailable" }]);
        expect(hot.faults).toHaveLength(1);
    });

    test("with the model throttling for a second that the deadline has: the wait that it asks for, and its answer", async () => {
        hot.server.replies.push({ status: 429, headers: { "retry-after": "1" } });
        const startedAt = performance.now();
        const { predictions } = await hot.answer({ players: [{ playerId: "1", features }] }, { REQUEST_DEADLINE_MS: 20_000 });
        expect(performance.now() - startedAt).toBeGreaterThan(990);
        expect(predictions).toMatchObject([{ playerId: "1", source: "model" }]);
        expect(hot.server.calls).toHaveLength(2);
        expect(hot.faults).toEqual([]);
    });

    test("with the cache down: from the model, and no wait", async () => {
        hot.parts.proxy.close();
        await vi.waitFor(() => expect(hot.cache.ping()).rejects.toThrow(/not connected/), { timeout: 30_000 });
        const { predictions, errors } = await hot.answer({ players: [{ playerId: "1", features }, { playerId: "2" }] });
        expect(predictions).toMatchObject([{ playerId: "1", source: "model" }]);
        expect(errors).toMatchObject([{ playerId: "2", code: "cache_unavailable" }]);
        // Not one that timed out: nobody waited for it.
        expect(hot.faults).toMatchObject([{ name: "CacheUnavailableError", message: expect.stringContaining("not connected") as string }]);
    });

    test("with the cache hanging: from the model, within the deadline", async () => {
        hot.parts.proxy.hang();
        const { predictions } = await hot.answer({ players: [{ playerId: "1", features }] });
        expect(predictions).toMatchObject([{ playerId: "1", source: "model" }]);
    });

    test("with the cache failing again and again: no request waits for it, until it is back", async () => {
        let [reads, down] = [0, true];
        const failing = {
            getMany: () => {
                reads++;
                return down ? Promise.reject(new CacheUnavailableError("down")) : hot.cache.getMany(["1"]);
            },
            putMany: hot.cache.putMany.bind(hot.cache),
        };
        const shared = hot.createParts({ cache: () => failing });
        const ask = () => hot.ask(shared, { players: [{ playerId: "1", features }] });
        for (let request = 0; request < 8; request++) {
            expect((await ask()).predictions[0]?.source).toBe("model");
        }
        expect(reads).toBe(5);
        expect(hot.faults).toHaveLength(5);
        down = false;
        await vi.waitFor(async () => expect((await ask()).predictions[0]?.source).toBe("cache"), { timeout: 20_000, interval: 100 });
    });

    test("with both down: an error for each player, and no failure", async () => {
        hot.parts.proxy.close();
        hot.server.always = () => ({ fault: "reset" });
        const { predictions, errors } = await hot.answer({ players: [{ playerId: "1", features }] });
        expect(predictions).toEqual([]);
        expect(errors).toMatchObject([{ playerId: "1", code: "model_unavailable" }]);
    });

    test("that cannot store its predictions is answered all the same, shortly", async () => {
        const failing = { getMany: hot.cache.getMany.bind(hot.cache), putMany: () => new Promise<void>(() => {}) };
        const { predictions } = await hot.answer({ players: [{ playerId: "1", features }] }, { cache: () => failing });
        expect(predictions[0]?.source).toBe("model");
    });

    test("of a thousand players is one read, one call and one write", async () => {
        const players = Array.from({ length: 1_000 }, (_, i) => ({ playerId: String(i), features }));
        hot.server.always = (asked) => ({ body: modelAnswer(asked) });
        expect((await hot.answer({ players })).predictions).toHaveLength(1_000);
        expect(hot.server.calls).toHaveLength(1);
        // The answer waits for the write only shortly.
        await vi.waitFor(async () => expect(await hot.parts.admin.dbsize()).toBe(1_001), { timeout: 20_000 });
        const commands = await hot.parts.admin.info("commandstats");
        expect((await hot.answer({ players })).predictions.every((one) => one.source === "cache")).toBe(true);
        const calls = (text: string) => Number(/cmdstat_mget:calls=(\d+)/.exec(text)?.[1] ?? 0);
        expect(calls(await hot.parts.admin.info("commandstats")) - calls(commands)).toBe(1);
    });
});
