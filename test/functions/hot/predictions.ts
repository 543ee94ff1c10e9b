import fc from "fast-check";
import type { PredictSettings } from "../../../functions/predict/parts";
import type { FingerprintedPrediction } from "../../../functions/prediction";

/** The version that the tests' model has. */
export const modelVersion = "0123456789ab";

/** Settings of a process that keeps no player in its memory, so that a test sees what is in Redis. */
export function hotSettings(change: Partial<PredictSettings> = {}): PredictSettings {
    return {
        MODEL_VERSION: modelVersion,
        CHALLENGER_VERSION: "",
        CHALLENGER_MODE: "shadow",
        CHALLENGER_PERCENT: 0,
        RECORD_PERCENT: 0,
        MODEL_MAX_CALLS: 4,
        MODEL_BATCH_PLAYERS: 1_000,
        PREDICTION_FRESH_SECONDS: 3_600,
        HOT_PLAYERS: 0,
        HOT_PLAYERS_TTL_MS: 1_000,
        REQUEST_DEADLINE_MS: 5_000,
        ...change,
    };
}

/** A prediction of a player, as the models would make it. */
export function prediction(playerId: string, change: Partial<FingerprintedPrediction> = {}): FingerprintedPrediction {
    return {
        playerId,
        churn: { label: true, probability: 0.759123 },
        purchase: { label: false, probability: 0.046651 },
        segment: { id: 3, name: "loyal, seldom buys" },
        modelVersion,
        scoredAt: "2026-01-31T12:00:00.000Z",
        inputsFingerprint: "23802805b9fc437c",
        ...change,
    };
}

/** Any prediction that the contract allows. */
export function anyPrediction(): fc.Arbitrary<FingerprintedPrediction> {
    const score = fc.record({
        label: fc.boolean(),
        probability: fc.integer({ min: 0, max: 1_000_000 }).map((millionths) => millionths / 1_000_000),
    });
    return fc.record({
        playerId: fc.string({ minLength: 1, maxLength: 64 }),
        churn: score,
        purchase: score,
        segment: fc.record({ id: fc.integer({ min: 0, max: 255 }), name: fc.string({ minLength: 1 }) }),
        modelVersion: fc.stringMatching(/^[0-9a-z.-]{1,17}$/),
        scoredAt: fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true }).map((date) => date.toISOString()),
        inputsFingerprint: fc.stringMatching(/^[0-9a-f]{16}$/),
    });
}

/** The inputs of a player that the check accepts. */
export function playerFeatures(change: Record<string, unknown> = {}): Record<string, unknown> {
    return {
        age: 39,
        promotion_num: "20",
        game_play_min_per_day: "70",
        item_purchase_num_in_90_days: 13,
        game_level: "15",
        crystal: "800",
        race: "White",
        gender: "Male",
        register_code: 2174,
        purchase_num: 0,
        game_play_num_per_week: 40,
        country: "United-States",
        ...change,
    };
}
