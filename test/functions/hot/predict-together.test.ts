import { describe, expect, test, vi } from "vitest";
import type { PredictionCache } from "../../../functions/clients/cache";
import { type Asked, madeAgo, startPredicting } from "./predicting";
import { playerFeatures } from "./predictions";

const hot = startPredicting();
const features = playerFeatures();

describe("requests of one process", () => {
    const commands = async (name: string): Promise<number> =>
        Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await hot.parts.admin.info("commandstats"))?.[1] ?? 0);

    function open(change: Parameters<typeof hot.createParts>[0] = {}) {
        const shared = hot.createParts({ HOT_PLAYERS: 100, HOT_PLAYERS_TTL_MS: 2_000, ...change });
        return { shared, ask: (request: Asked) => hot.ask(shared, request) };
    }

    test("that miss the same players are answered by one call", async () => {
        const { ask, shared } = open();
        const players = [{ playerId: "1", features }];
        const answers = await Promise.all(Array.from({ length: 1_000 }, () => ask({ players })));
        expect(answers.every(({ predictions }) => predictions[0]?.source === "model")).toBe(true);
        expect(hot.server.calls).toHaveLength(1);
        expect(shared.metrics.shared.count).toBe(999);
    });

    test("share the answer, too, when they read the cache before it was stored and ask after", async () => {
        const [reading, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        let reads = 0;
        const getMany: PredictionCache["getMany"] = async (playerIds) => {
            const read = await hot.cache.getMany(playerIds);
            if (++reads === 1) {
                reading.resolve();
                await goOn.promise;
            }
            return read;
        };
        const change = {
            HOT_PLAYERS: 0,
            REQUEST_DEADLINE_MS: 30_000,
            cache: () => ({ getMany, putMany: hot.cache.putMany.bind(hot.cache) }),
        };
        // A clock that stands still: however slow the machine is, no second passes.
        const startedAt = Date.now();
        const parts = hot.createParts(change, () => startedAt);
        const ask = () => hot.ask(parts, { players: [{ playerId: "1", features }] }, startedAt + 30_000);
        const slow = ask();
        await reading.promise;
        const quick = await ask();
        await vi.waitFor(async () => expect((await hot.cache.getMany(["1"]))[0]).toBeDefined(), { timeout: 30_000 });
        goOn.resolve();
        expect((await slow).predictions).toEqual(quick.predictions);
        expect(hot.server.calls).toHaveLength(1);
    });

    test("read a hot player from memory, with the rules of what is stored, and the model's newer answer", async () => {
        const { ask, shared } = open();
        await hot.cache.putMany([madeAgo("1", 60)]);
        const source = async (request: Partial<Asked> = {}) => (await ask({ players: [{ playerId: "1", features }], ...request })).predictions[0]?.source;
        expect(await source()).toBe("cache");
        const reads = await commands("mget");
        expect(await source()).toBe("cache");
        expect(await source({ match: "inputs" })).toBe("cache");
        expect(await source({ maxAgeSeconds: 120 })).toBe("cache");
        expect(await commands("mget")).toBe(reads);
        expect(shared.metrics.answeredFrom("memory")).toBe(3);

        expect(await source({ maxAgeSeconds: 30 })).toBe("model");
        expect(await commands("mget")).toBe(reads + 1);
        expect(await source({ maxAgeSeconds: 30 })).toBe("cache");
        expect(await source({ match: "inputs", players: [{ playerId: "1", features: playerFeatures({ age: 40 }) }] })).toBe("model");
        expect(await source({ maxAgeSeconds: 0 })).toBe("model");
        expect(await commands("mget")).toBe(reads + 3);
    });

    test("tell of a fault that they share once", async () => {
        const { ask } = open();
        hot.server.always = () => ({ status: 424 });
        const answers = await Promise.all(["1", "2", "3"].map((playerId) => ask({ players: [{ playerId, features }] })));
        expect(answers.flatMap(({ errors }) => errors.map((error) => error.code))).toEqual(Array(3).fill("model_unavailable"));
        expect(hot.faults).toHaveLength(hot.server.calls.length);
    });

    test("that are more than the model can answer get what is stored, and an error of their own without", async () => {
        const { ask } = open({ MODEL_MAX_CALLS: 1, MODEL_BATCH_PLAYERS: 1, REQUEST_DEADLINE_MS: 500 });
        await hot.cache.putMany([madeAgo("other", 60, { modelVersion: "ffffffffffff" })]);
        hot.server.always = () => ({ fault: "hang" });
        const first = ["1", "2"].map((playerId) => ask({ players: [{ playerId, features }] }));
        await vi.waitFor(() => expect(hot.server.calls).toHaveLength(1), { timeout: 30_000 });
        const flooded = await ask({ players: [{ playerId: "3", features }, { playerId: "other", features }] });
        expect(flooded.predictions).toMatchObject([{ prediction: { playerId: "other" }, source: "stale" }]);
        expect(flooded.errors).toMatchObject([{ playerId: "3", code: "overloaded" }]);
        await Promise.all(first);
    });
});
