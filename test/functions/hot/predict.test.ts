import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { CacheUnavailableError, type PredictionCache } from "../../../functions/clients/cache";
import { createOnlineEndpoint, type OnlineEndpoint } from "../../../functions/clients/online-endpoint";
import { answerSchema, type PredictAnswer } from "../../../functions/predict/answer";
import { answerText } from "../../../functions/predict/answer-text";
import { createPredictParts, type PredictServices, type PredictSettings } from "../../../functions/predict/parts";
import { predict } from "../../../functions/predict/predict";
import type { PredictRequest } from "../../../functions/predict/request";
import { type CacheParts, startCacheParts } from "./cache-parts";
import { modelAnswer, ModelServer } from "./model-server";
import { hotSettings, modelVersion, playerFeatures, prediction } from "./predictions";

let parts: CacheParts;
let cache: PredictionCache;
let server: ModelServer;
let model: OnlineEndpoint;
let faults: Error[];

beforeAll(async () => {
    [parts, server] = await Promise.all([startCacheParts(), ModelServer.start()]);
    cache = parts.open();
    const token = { token: "a-token", expiresOnTimestamp: Date.now() + 3_600_000 };
    model = createOnlineEndpoint({ ONLINE_SCORING_URI: server.url, ONLINE_DEPLOYMENT: "blue" }, { getToken: () => Promise.resolve(token) });
});
beforeEach(async () => {
    server.reset();
    faults = [];
    parts.proxy.open();
    await parts.admin.flushall();
    await vi.waitFor(() => cache.ping(), { timeout: 30_000 });
});
afterAll(async () => {
    await Promise.all([parts.stop(), server.stop()]);
});

interface Change extends Partial<PredictSettings> {
    readonly cache?: PredictServices["cache"];
}

/** Answers as a process of its own does. */
async function answer(
    request: Omit<PredictRequest, "match"> & Partial<PredictRequest>,
    { cache: otherCache, ...settings }: Change = {},
): Promise<PredictAnswer> {
    const services = { settings: () => hotSettings(settings), cache: otherCache ?? (() => cache), onlineEndpoint: () => model };
    const parts = createPredictParts(services);
    const log = (fault: Error) => void faults.push(fault);
    const answered = await predict({ match: "player", ...request }, parts, { deadline: Date.now() + parts.deadlineMs, log });
    return answerSchema.strict().parse(JSON.parse(answerText(answered)));
}

const stored = (playerId: string, secondsAgo = 60, change = {}) =>
    prediction(playerId, { scoredAt: new Date(Date.now() - secondsAgo * 1000).toISOString(), ...change });
const features = playerFeatures();

describe("a request for predictions", () => {
    test("is answered from the cache where it can be, by one call of the model for the rest, in the order of the request", async () => {
        await cache.putMany([stored("hit"), stored("hit-2")]);
        const players = [
            { playerId: "miss", features },
            { playerId: "hit" },
            { playerId: "none" },
            { playerId: "miss-2", features },
            { playerId: "hit-2", features },
        ];
        const first = await answer({ players });
        expect(first.predictions.map(({ playerId, source }) => [playerId, source])).toEqual([
            ["miss", "model"],
            ["hit", "cache"],
            ["miss-2", "model"],
            ["hit-2", "cache"],
        ]);
        expect(first.errors).toEqual([
            { playerId: "none", code: "not_found", message: expect.stringContaining("send the player's features") as string },
        ]);
        expect(server.calls.map((call) => call.players.map((player) => player.playerId))).toEqual([["miss", "miss-2"]]);

        const second = await answer({ players });
        expect(second.predictions).toEqual(first.predictions.map((one) => ({ ...one, source: "cache" })));
        expect(server.calls).toHaveLength(1);
        expect(faults).toEqual([]);
    });

    test("has exactly the fields of the contract", async () => {
        const { predictions } = await answer({ players: [{ playerId: "1", features }] });
        expect(predictions).toEqual([
            {
                playerId: "1",
                churn: { label: false, probability: 0.39 },
                purchase: { label: false, probability: 0.046651 },
                segment: { id: 1, name: "newcomers" },
                promotion: null,
                modelVersion,
                scoredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
                source: "model",
            },
        ]);
    });

    test("gives a player who is in it twice the same answer twice, from one question", async () => {
        const players = [{ playerId: "1" }, { playerId: "1", features }, { playerId: "1", features: playerFeatures({ age: 90 }) }];
        const { predictions } = await answer({ players });
        expect(predictions).toHaveLength(3);
        expect(new Set(predictions.map((one) => one.churn.probability))).toEqual(new Set([0.39]));
        expect(server.calls[0]?.players).toHaveLength(1);
    });

    test("says what is wrong with one player's features, and answers the others", async () => {
        const players = [
            { playerId: "1", features: playerFeatures({ age: "old" }) },
            { playerId: "bad-2", features },
            { playerId: "3", features },
        ];
        const { predictions, errors } = await answer({ players });
        expect(predictions.map((one) => one.playerId)).toEqual(["3"]);
        expect(errors).toEqual([
            { playerId: "1", code: "invalid_features", message: 'features.age is "old", expected a finite number' },
            { playerId: "bad-2", code: "invalid_features", message: "country is not on the map" },
        ]);
    });

    test("asks the model for players whose stored prediction is no longer fresh, or of another model", async () => {
        const old = parts.open({ PREDICTION_FRESH_SECONDS: 1 }, () => Date.now() - 2_000);
        await old.putMany([stored("old")]);
        await cache.putMany([stored("other", 60, { modelVersion: "ffffffffffff" })]);
        const without = await answer({ players: [{ playerId: "old" }, { playerId: "other" }] });
        expect(without.predictions.map((one) => one.source)).toEqual(["stale", "stale"]);
        const withFeatures = await answer({
            players: [
                { playerId: "old", features },
                { playerId: "other", features },
            ],
        });
        expect(withFeatures.predictions.map((one) => one.source)).toEqual(["model", "model"]);
    });

    test("takes a prediction that a batch made some time ago for fresh from when it was stored", async () => {
        await cache.putMany([stored("1", 86_400)]);
        expect((await answer({ players: [{ playerId: "1", features }] })).predictions[0]?.source).toBe("cache");
    });

    test("takes stored predictions only up to the age that it asks for, and none at 0", async () => {
        await cache.putMany([stored("1", 60)]);
        const source = async (maxAgeSeconds: number) =>
            (await answer({ players: [{ playerId: "1" }], maxAgeSeconds })).predictions[0]?.source;
        expect(await source(120)).toBe("cache");
        expect(await source(30)).toBe("stale");
        expect(await source(0)).toBe("stale");
        const asked = await answer({ players: [{ playerId: "1", features }], maxAgeSeconds: 0 });
        expect(asked.predictions[0]?.source).toBe("model");
    });

    test("takes a stored prediction only for the same inputs, if it says so", async () => {
        await cache.putMany([stored("same"), stored("changed")]);
        const players = [
            { playerId: "same", features },
            { playerId: "changed", features: playerFeatures({ age: 40 }) },
            { playerId: "without" },
        ];
        const { predictions, errors } = await answer({ players, match: "inputs" });
        expect(predictions.map((one) => one.source)).toEqual(["cache", "model"]);
        expect(errors).toMatchObject([{ playerId: "without", code: "invalid_features" }]);
        const again = await answer({ players, match: "inputs" });
        expect(again.predictions.map((one) => one.source)).toEqual(["cache", "cache"]);
    });
});

describe("requests of one process", () => {
    const commands = async (name: string): Promise<number> =>
        Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await parts.admin.info("commandstats"))?.[1] ?? 0);

    function open(settings: Partial<PredictSettings> = {}) {
        const services = { settings: () => hotSettings({ HOT_PLAYERS: 100, HOT_PLAYERS_TTL_MS: 2_000, ...settings }), cache: () => cache, onlineEndpoint: () => model };
        const shared = createPredictParts(services);
        const ask = (request: Omit<PredictRequest, "match"> & Partial<PredictRequest>) =>
            predict({ match: "player", ...request }, shared, { deadline: Date.now() + shared.deadlineMs, log: (fault) => void faults.push(fault) });
        return { shared, ask };
    }

    test("that miss the same players are answered by one call", async () => {
        const { ask, shared } = open();
        const players = [{ playerId: "1", features }];
        const answers = await Promise.all(Array.from({ length: 1_000 }, () => ask({ players })));
        expect(answers.every(({ predictions }) => predictions[0]?.source === "model")).toBe(true);
        expect(server.calls).toHaveLength(1);
        expect(shared.metrics.shared.count).toBe(999);
    });

    test("share the answer, too, when they read the cache before it was stored and ask after", async () => {
        const [reading, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        let reads = 0;
        const getMany: PredictionCache["getMany"] = async (playerIds) => {
            const read = await cache.getMany(playerIds);
            if (++reads === 1) {
                reading.resolve();
                await goOn.promise;
            }
            return read;
        };
        const services = {
            settings: () => hotSettings({ HOT_PLAYERS: 0, REQUEST_DEADLINE_MS: 30_000 }),
            cache: () => ({ getMany, putMany: cache.putMany.bind(cache) }),
            onlineEndpoint: () => model,
        };
        // A clock that stands still: however slow the machine is, no second passes.
        const startedAt = Date.now();
        const parts = createPredictParts(services, () => startedAt);
        const ask = () =>
            predict({ match: "player", players: [{ playerId: "1", features }] }, parts, {
                deadline: startedAt + 30_000,
                log: (fault) => void faults.push(fault),
            });
        const slow = ask();
        await reading.promise;
        const quick = await ask();
        await vi.waitFor(async () => expect((await cache.getMany(["1"]))[0]).toBeDefined(), { timeout: 30_000 });
        goOn.resolve();
        expect((await slow).predictions).toEqual(quick.predictions);
        expect(server.calls).toHaveLength(1);
    });

    test("read a hot player from memory, with the rules of what is stored, and the model's newer answer", async () => {
        const { ask, shared } = open();
        await cache.putMany([stored("1", 60)]);
        const source = async (request: Partial<PredictRequest> = {}) => (await ask({ players: [{ playerId: "1", features }], ...request })).predictions[0]?.source;
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
        server.always = () => ({ status: 424 });
        const answers = await Promise.all(["1", "2", "3"].map((playerId) => ask({ players: [{ playerId, features }] })));
        expect(answers.flatMap(({ errors }) => errors.map((error) => error.code))).toEqual(Array(3).fill("model_unavailable"));
        expect(faults).toHaveLength(server.calls.length);
    });

    test("that are more than the model can answer get what is stored, and an error of their own without", async () => {
        const { ask } = open({ MODEL_MAX_CALLS: 1, MODEL_BATCH_PLAYERS: 1, REQUEST_DEADLINE_MS: 500 });
        await cache.putMany([stored("other", 60, { modelVersion: "ffffffffffff" })]);
        server.always = () => ({ fault: "hang" });
        const first = ["1", "2"].map((playerId) => ask({ players: [{ playerId, features }] }));
        await vi.waitFor(() => expect(server.calls).toHaveLength(1), { timeout: 30_000 });
        const flooded = await ask({ players: [{ playerId: "3", features }, { playerId: "other", features }] });
        expect(flooded.predictions).toMatchObject([{ prediction: { playerId: "other" }, source: "stale" }]);
        expect(flooded.errors).toMatchObject([{ playerId: "3", code: "overloaded" }]);
        await Promise.all(first);
    });
});

describe("a request under faults", () => {
    test.each([
        ["down", { status: 503 }],
        ["throttling", { status: 429 }],
        ["failing", { status: 424 }],
        ["hanging", { fault: "hang" }],
        ["answering nonsense", { body: "{}" }],
    ] as const)("with the model %s: the stored prediction flagged, or an error for that player alone", async (_, reply) => {
        server.always = () => reply;
        await cache.putMany([stored("fresh"), stored("other", 60, { modelVersion: "ffffffffffff" })]);
        const players = ["fresh", "other", "none"].map((playerId) => ({ playerId, features }));
        const { predictions, errors } = await answer({ players }, { REQUEST_DEADLINE_MS: 1_000 });
        expect(predictions.map((one) => one.source)).toEqual(["cache", "stale"]);
        expect(errors).toMatchObject([{ playerId: "none", code: "model_unavailable" }]);
        expect(faults).toHaveLength(1);
    });

    test("with the model throttling for a second that the deadline has: the wait that it asks for, and its answer", async () => {
        server.replies.push({ status: 429, headers: { "retry-after": "1" } });
        const startedAt = performance.now();
        const { predictions } = await answer({ players: [{ playerId: "1", features }] }, { REQUEST_DEADLINE_MS: 20_000 });
        expect(performance.now() - startedAt).toBeGreaterThan(990);
        expect(predictions).toMatchObject([{ playerId: "1", source: "model" }]);
        expect(server.calls).toHaveLength(2);
        expect(faults).toEqual([]);
    });

    test("with the cache down: from the model, and no wait", async () => {
        parts.proxy.close();
        await vi.waitFor(() => expect(cache.ping()).rejects.toThrow(/not connected/), { timeout: 30_000 });
        const { predictions, errors } = await answer({ players: [{ playerId: "1", features }, { playerId: "2" }] });
        expect(predictions).toMatchObject([{ playerId: "1", source: "model" }]);
        expect(errors).toMatchObject([{ playerId: "2", code: "cache_unavailable" }]);
        // Not one that timed out: nobody waited for it.
        expect(faults).toMatchObject([{ name: "CacheUnavailableError", message: expect.stringContaining("not connected") as string }]);
    });

    test("with the cache hanging: from the model, within the deadline", async () => {
        parts.proxy.hang();
        const { predictions } = await answer({ players: [{ playerId: "1", features }] });
        expect(predictions).toMatchObject([{ playerId: "1", source: "model" }]);
    });

    test("with the cache failing again and again: no request waits for it, until it is back", async () => {
        let [reads, down] = [0, true];
        const failing = {
            getMany: () => {
                reads++;
                return down ? Promise.reject(new CacheUnavailableError("down")) : cache.getMany(["1"]);
            },
            putMany: cache.putMany.bind(cache),
        };
        const services = { settings: () => hotSettings(), cache: () => failing, onlineEndpoint: () => model };
        const shared = createPredictParts(services);
        const ask = () =>
            predict({ players: [{ playerId: "1", features }], match: "player" }, shared, {
                deadline: Date.now() + 1_000,
                log: (fault) => void faults.push(fault),
            });
        for (let request = 0; request < 8; request++) {
            expect((await ask()).predictions[0]?.source).toBe("model");
        }
        expect(reads).toBe(5);
        expect(faults).toHaveLength(5);
        down = false;
        await vi.waitFor(async () => expect((await ask()).predictions[0]?.source).toBe("cache"), { timeout: 20_000, interval: 100 });
    });

    test("with both down: an error for each player, and no failure", async () => {
        parts.proxy.close();
        server.always = () => ({ fault: "reset" });
        const { predictions, errors } = await answer({ players: [{ playerId: "1", features }] });
        expect(predictions).toEqual([]);
        expect(errors).toMatchObject([{ playerId: "1", code: "model_unavailable" }]);
    });

    test("that cannot store its predictions is answered all the same, shortly", async () => {
        const failing = { getMany: cache.getMany.bind(cache), putMany: () => new Promise<void>(() => {}) };
        const { predictions } = await answer({ players: [{ playerId: "1", features }] }, { cache: () => failing });
        expect(predictions[0]?.source).toBe("model");
    });

    test("of a thousand players is one read, one call and one write", async () => {
        const players = Array.from({ length: 1_000 }, (_, i) => ({ playerId: String(i), features }));
        server.always = (asked) => ({ body: modelAnswer(asked) });
        expect((await answer({ players })).predictions).toHaveLength(1_000);
        expect(server.calls).toHaveLength(1);
        // The answer waits for the write only shortly.
        await vi.waitFor(async () => expect(await parts.admin.dbsize()).toBe(1_001), { timeout: 20_000 });
        const commands = await parts.admin.info("commandstats");
        expect((await answer({ players })).predictions.every((one) => one.source === "cache")).toBe(true);
        const calls = (text: string) => Number(/cmdstat_mget:calls=(\d+)/.exec(text)?.[1] ?? 0);
        expect(calls(await parts.admin.info("commandstats")) - calls(commands)).toBe(1);
    });
});
