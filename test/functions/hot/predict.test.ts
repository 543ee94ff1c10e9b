import { describe, expect, test } from "vitest";
import { madeAgo, startPredicting } from "./predicting";
import { modelVersion, playerFeatures } from "./predictions";

const hot = startPredicting();
const features = playerFeatures();

describe("a request for predictions", () => {
    test("is answered from the cache where it can be, by one call of the model for the rest, in the order of the request", async () => {
        await hot.cache.putMany([madeAgo("hit"), madeAgo("hit-2")]);
        const players = [
            { playerId: "miss", features },
            { playerId: "hit" },
            { playerId: "none" },
            { playerId: "miss-2", features },
            { playerId: "hit-2", features },
        ];
        const first = await hot.answer({ players });
        expect(first.predictions.map(({ playerId, source }) => [playerId, source])).toEqual([
            ["miss", "model"],
            ["hit", "cache"],
            ["miss-2", "model"],
            ["hit-2", "cache"],
        ]);
        expect(first.errors).toEqual([
            { playerId: "none", code: "not_found", message: expect.stringContaining("send the player's features") as string },
        ]);
        expect(hot.server.calls.map((call) => call.players.map((player) => player.playerId))).toEqual([["miss", "miss-2"]]);

        const second = await hot.answer({ players });
        expect(second.predictions).toEqual(first.predictions.map((one) => ({ ...one, source: "cache" })));
        expect(hot.server.calls).toHaveLength(1);
        expect(hot.faults).toEqual([]);
    });

    test("has exactly the fields of the contract", async () => {
        const { predictions } = await hot.answer({ players: [{ playerId: "1", features }] });
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
        const { predictions } = await hot.answer({ players });
        expect(predictions).toHaveLength(3);
        expect(new Set(predictions.map((one) => one.churn.probability))).toEqual(new Set([0.39]));
        expect(hot.server.calls[0]?.players).toHaveLength(1);
    });

    test("says what is wrong with one player's features, and answers the others", async () => {
        const players = [
            { playerId: "1", features: playerFeatures({ age: "old" }) },
            { playerId: "bad-2", features },
            { playerId: "3", features },
        ];
        const { predictions, errors } = await hot.answer({ players });
        expect(predictions.map((one) => one.playerId)).toEqual(["3"]);
        expect(errors).toEqual([
            { playerId: "1", code: "invalid_features", message: 'features.age is "old", expected a finite number' },
            { playerId: "bad-2", code: "invalid_features", message: "country is not on the map" },
        ]);
    });

    test("asks the model for players whose stored prediction is no longer fresh, or of another model", async () => {
        const old = hot.parts.open({ PREDICTION_FRESH_SECONDS: 1 }, () => Date.now() - 2_000);
        await old.putMany([madeAgo("old")]);
        await hot.cache.putMany([madeAgo("other", 60, { modelVersion: "ffffffffffff" })]);
        const without = await hot.answer({ players: [{ playerId: "old" }, { playerId: "other" }] });
        expect(without.predictions.map((one) => one.source)).toEqual(["stale", "stale"]);
        const withFeatures = await hot.answer({
            players: [
                { playerId: "old", features },
                { playerId: "other", features },
            ],
        });
        expect(withFeatures.predictions.map((one) => one.source)).toEqual(["model", "model"]);
    });

    test("takes a prediction that a batch made some time ago for fresh from when it was stored", async () => {
        await hot.cache.putMany([madeAgo("1", 86_400)]);
        expect((await hot.answer({ players: [{ playerId: "1", features }] })).predictions[0]?.source).toBe("cache");
    });

    test("takes stored predictions only up to the age that it asks for, and none at 0", async () => {
        await hot.cache.putMany([madeAgo("1", 60)]);
        const source = async (maxAgeSeconds: number) =>
            (await hot.answer({ players: [{ playerId: "1" }], maxAgeSeconds })).predictions[0]?.source;
        expect(await source(120)).toBe("cache");
        expect(await source(30)).toBe("stale");
        expect(await source(0)).toBe("stale");
        const asked = await hot.answer({ players: [{ playerId: "1", features }], maxAgeSeconds: 0 });
        expect(asked.predictions[0]?.source).toBe("model");
    });

    test("takes a stored prediction only for the same inputs, if it says so", async () => {
        await hot.cache.putMany([madeAgo("same"), madeAgo("changed")]);
        const players = [
            { playerId: "same", features },
            { playerId: "changed", features: playerFeatures({ age: 40 }) },
            { playerId: "without" },
        ];
        const { predictions, errors } = await hot.answer({ players, match: "inputs" });
        expect(predictions.map((one) => one.source)).toEqual(["cache", "model"]);
        expect(errors).toMatchObject([{ playerId: "without", code: "invalid_features" }]);
        const again = await hot.answer({ players, match: "inputs" });
        expect(again.predictions.map((one) => one.source)).toEqual(["cache", "cache"]);
    });
});
