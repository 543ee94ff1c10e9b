import { setTimeout as sleep } from "node:timers/promises";
import { CacheUnavailableError, type PredictionCache, type StoredPrediction } from "../clients/cache";
import type { OnlineEndpoint } from "../clients/online-endpoint";
import { ModelAnswerError, ModelUnavailableError, type OnlineAnswer } from "../clients/online-endpoint-protocol";
import type { Prediction } from "../prediction";
import type { AnsweredPrediction, PlayerError, PredictAnswer } from "./answer";
import { checkFeatures, type Features } from "./features";
import { fingerprint } from "./fingerprint";
import { isFresh } from "./freshness";
import type { PredictRequest } from "./request";

/** How long an answer waits for its predictions to be stored: a healthy cache takes a millisecond, a sick one must not delay it. */
const writeWaitMs = 100;

/** What the answer is made with. */
export interface PredictParts {
    readonly cache: Pick<PredictionCache, "getMany" | "putMany">;
    readonly model: Pick<OnlineEndpoint, "predict">;
    /** Version of the deployed model. */
    readonly modelVersion: string;
    /** Longest time for the whole request, in milliseconds. */
    readonly deadlineMs: number;
    /** Milliseconds since 1970. */
    readonly now: () => number;
    /** Told of each fault that the answer got around, for the log. */
    readonly report: (fault: Error) => void;
}

type Outcome = { readonly prediction: AnsweredPrediction } | { readonly error: PlayerError };

/** A player whose answer has to be found, with its checked inputs if the request has any. */
interface Asked {
    readonly playerId: string;
    readonly features: Features | undefined;
}

/** A player to ask the model about, with the stored prediction that is the answer if the model gives none. */
interface Miss {
    readonly playerId: string;
    readonly features: Features;
    readonly stored: StoredPrediction | undefined;
}

/**
 * Answers each player of a request: from the cache where the stored prediction counts (`isFresh`), by one call of the model for all
 * others, and with a stale prediction where the model gives none. A fault of the cache or the model is never the answer's fault.
 */
export async function predict(request: PredictRequest, parts: PredictParts): Promise<PredictAnswer> {
    const startedAt = parts.now();
    const outcomes = new Map<string, Outcome>();

    const asked = takeInputs(request, outcomes);
    const stored = await readStored(asked, parts);
    const misses = answerFromStored(asked, stored, request, parts, outcomes);
    if (misses.length > 0) {
        await answerFromModel(misses, startedAt + parts.deadlineMs, stored !== undefined, parts, outcomes);
    }

    const predictions: AnsweredPrediction[] = [];
    const errors: PlayerError[] = [];
    for (const { playerId } of request.players) {
        const outcome = outcomes.get(playerId);
        if (outcome && "prediction" in outcome) {
            predictions.push(outcome.prediction);
        } else if (outcome) {
            errors.push(outcome.error);
        }
    }
    return { predictions, errors };
}

/** The players of the request, each once, with checked inputs; those whose inputs are wrong have their outcome. */
function takeInputs(request: PredictRequest, outcomes: Map<string, Outcome>): Asked[] {
    const featuresOf = new Map<string, unknown>();
    for (const { playerId, features } of request.players) {
        featuresOf.set(playerId, featuresOf.get(playerId) ?? features);
    }
    const asked: Asked[] = [];
    for (const [playerId, given] of featuresOf) {
        if (given === undefined && request.match === "inputs") {
            outcomes.set(playerId, fail(playerId, "invalid_features", "features is missing, expected when match is inputs"));
            continue;
        }
        const checked = given === undefined ? { features: undefined } : checkFeatures(given);
        if ("problem" in checked) {
            outcomes.set(playerId, fail(playerId, "invalid_features", checked.problem));
        } else {
            asked.push({ playerId, features: checked.features });
        }
    }
    return asked;
}

/** What the cache holds of the players, in their order; undefined when it cannot be read. */
async function readStored(asked: readonly Asked[], parts: PredictParts): Promise<(StoredPrediction | undefined)[] | undefined> {
    try {
        return await parts.cache.getMany(asked.map((player) => player.playerId));
    } catch (error) {
        reportOrThrow(error, parts);
        return undefined;
    }
}

/** Answers those whom a stored prediction serves, or to whom nothing else can be said; returns the others. */
function answerFromStored(
    asked: readonly Asked[],
    storedPredictions: readonly (StoredPrediction | undefined)[] | undefined,
    request: PredictRequest,
    parts: PredictParts,
    outcomes: Map<string, Outcome>,
): Miss[] {
    const criteria = { ...request, modelVersion: parts.modelVersion, now: parts.now() };
    const misses: Miss[] = [];
    asked.forEach(({ playerId, features }, i) => {
        const stored = storedPredictions?.[i];
        if (stored && isFresh(stored, features, criteria)) {
            outcomes.set(playerId, succeed(stored, "cache"));
        } else if (features) {
            misses.push({ playerId, features, stored });
        } else if (stored) {
            outcomes.set(playerId, succeed(stored, "stale"));
        } else if (storedPredictions) {
            outcomes.set(playerId, fail(playerId, "not_found", "no prediction is stored: send the player's features"));
        } else {
            const message = "stored predictions cannot be read now: send the player's features, or try again";
            outcomes.set(playerId, fail(playerId, "cache_unavailable", message));
        }
    });
    return misses;
}

/** Asks the model about the misses, answers them, and stores what it said if the cache is there. */
async function answerFromModel(
    misses: readonly Miss[],
    deadline: number,
    cacheWorks: boolean,
    parts: PredictParts,
    outcomes: Map<string, Outcome>,
): Promise<void> {
    let answer: OnlineAnswer;
    try {
        answer = await parts.model.predict(
            misses.map(({ playerId, features }) => ({ playerId, features })),
            { deadline },
        );
    } catch (error) {
        reportOrThrow(error, parts);
        for (const { playerId, stored } of misses) {
            const message = "the model does not answer and no prediction is stored: try again";
            outcomes.set(playerId, stored ? succeed(stored, "stale") : fail(playerId, "model_unavailable", message));
        }
        return;
    }
    for (const prediction of answer.predictions) {
        outcomes.set(prediction.playerId, succeed(prediction, "model"));
    }
    for (const { playerId, message } of answer.errors) {
        outcomes.set(playerId, fail(playerId, "invalid_features", message));
    }
    if (cacheWorks) {
        await store(answer.predictions, misses, deadline, parts);
    }
}

/**
 * Stores new predictions. Waits for it, since work that outlives its request is lost when the instance goes; but only shortly: a
 * write that takes longer goes on beside the answer.
 */
async function store(predictions: readonly Prediction[], misses: readonly Miss[], deadline: number, parts: PredictParts): Promise<void> {
    const featuresOf = new Map(misses.map((miss) => [miss.playerId, miss.features]));
    const fingerprinted = predictions.flatMap((prediction) => {
        const features = featuresOf.get(prediction.playerId);
        return features ? [{ ...prediction, inputsFingerprint: fingerprint(features) }] : [];
    });
    const written = parts.cache.putMany(fingerprinted).catch((error: unknown) => parts.report(asError(error)));
    await Promise.race([written, sleep(Math.max(0, Math.min(writeWaitMs, deadline - parts.now())), undefined, { ref: false })]);
}

function succeed(prediction: Prediction, source: AnsweredPrediction["source"]): Outcome {
    const { playerId, churn, purchase, segment, modelVersion, scoredAt } = prediction;
    return { prediction: { playerId, churn, purchase, segment, modelVersion, scoredAt, source } };
}

function fail(playerId: string, code: PlayerError["code"], message: string): Outcome {
    return { error: { playerId, code, message } };
}

/** Faults of the cache and the model are reported and got around; anything else is a fault of this program. */
function reportOrThrow(error: unknown, parts: PredictParts): void {
    if (error instanceof CacheUnavailableError || error instanceof ModelUnavailableError || error instanceof ModelAnswerError) {
        parts.report(error);
    } else {
        throw error;
    }
}

function asError(error: unknown): Error {
    return error instanceof Error ? error : new Error(String(error));
}
