import { setTimeout as sleep } from "node:timers/promises";
import { CacheUnavailableError, type StoredPrediction } from "../clients/cache";
import { ModelAnswerError, ModelUnavailableError } from "../clients/online-endpoint-protocol";
import type { Prediction } from "../prediction";
import type { PlayerError } from "./answer";
import type { Answer, Answered } from "./answer-text";
import { checkFeatures, type Features } from "./features";
import { type FreshnessCriteria, isFresh } from "./freshness";
import type { HotPlayer, HotPlayers } from "./hot-players";
import type { Metrics, Tier } from "./metrics";
import { ModelOverloadedError } from "./model-batches";
import type { ModelAnswer } from "./model-questions";
import type { ModelAsker } from "./model-router";
import type { PredictRequest } from "./request";
import type { StoredPredictions } from "./stored-predictions";

/** How long an answer waits for its predictions to be stored: a healthy cache takes a millisecond, a sick one must not delay it. */
const writeWaitMs = 100;

/** What the answers of a process are made with; `createPredictParts` builds it. */
export interface PredictParts {
    readonly hot: HotPlayers;
    readonly stored: StoredPredictions;
    readonly model: ModelAsker;
    readonly metrics: Metrics;
    /** Version of the model that is to predict a player. */
    readonly versionOf: (playerId: string) => string;
    /** Longest time for the whole request, in milliseconds. */
    readonly deadlineMs: number;
    /** Milliseconds since 1970. */
    readonly now: () => number;
    /** Passes on a fault that an answer got around, unless it was passed on before. */
    readonly report: (fault: Error, log: (fault: Error) => void) => void;
}

/** One request. */
export interface Call {
    /** When its answer is of no more use: milliseconds since 1970. */
    readonly deadline: number;
    /** Told of each fault that the answer got around. */
    readonly log: (fault: Error) => void;
}

type Outcome = (Answered & { readonly tier: Tier }) | { readonly error: PlayerError };

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
 * Answers each player of a request: from the process's memory or the cache where the stored prediction counts (`isFresh`), by one call of
 * the model for all others, and with a stale prediction where the model gives none. A fault of the cache or the model is never the
 * answer's fault.
 */
export async function predict(request: PredictRequest, parts: PredictParts, call: Call): Promise<Answer> {
    const outcomes = new Map<string, Outcome>();
    const criteria = { ...request, versionOf: parts.versionOf, now: parts.now() };
    const asked = answerFromMemory(takeInputs(request, outcomes), criteria, parts, outcomes);
    if (asked.length > 0) {
        const stored = await readStored(asked, parts, call);
        const misses = answerFromStored(asked, stored, criteria, parts, outcomes);
        if (misses.length > 0) {
            const maxAgeMs = (request.maxAgeSeconds ?? Infinity) * 1000;
            await answerFromModel(misses, { maxAgeMs, cacheWorks: stored !== undefined }, parts, call, outcomes);
        }
    }

    const predictions: Answered[] = [];
    const errors: PlayerError[] = [];
    for (const { playerId } of request.players) {
        const outcome = outcomes.get(playerId);
        if (outcome && "prediction" in outcome) {
            predictions.push(outcome);
            parts.metrics.answered(outcome.tier, outcome.prediction.modelVersion);
        } else if (outcome) {
            errors.push(outcome.error);
            parts.metrics.errors.add(outcome.error.code);
        }
    }
    return { predictions, errors };
}

/**
 * The player in the process's memory, if that prediction is the answer to who asks for this player alone and sets no conditions. Whoever
 * gets undefined asks `predict`.
 */
export function predictFromMemory(playerId: string, parts: PredictParts): HotPlayer | undefined {
    const player = parts.hot.get(playerId);
    if (player === undefined || !isFresh(player.prediction, undefined, { match: "player", versionOf: parts.versionOf, now: parts.now() })) {
        return undefined;
    }
    parts.metrics.answered("memory", player.prediction.modelVersion);
    return player;
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

/** Answers those whom this process was asked about just now, if that prediction counts; returns the others. */
function answerFromMemory(asked: Asked[], criteria: FreshnessCriteria, parts: PredictParts, outcomes: Map<string, Outcome>): Asked[] {
    return asked.filter(({ playerId, features }) => {
        const player = parts.hot.get(playerId);
        if (player === undefined || !isFresh(player.prediction, features, criteria)) {
            return true;
        }
        outcomes.set(playerId, succeed(player.prediction, "memory"));
        return false;
    });
}

/** What the cache holds of the players, in their order; undefined when it cannot be read. */
async function readStored(asked: readonly Asked[], parts: PredictParts, call: Call): Promise<(StoredPrediction | undefined)[] | undefined> {
    try {
        return await parts.stored.read(asked.map((player) => player.playerId));
    } catch (error) {
        parts.metrics.cacheFaults.add("read");
        reportOrThrow(error, parts, call);
        return undefined;
    }
}

/** Answers those whom a stored prediction serves, or to whom nothing else can be said; returns the others. */
function answerFromStored(
    asked: readonly Asked[],
    storedPredictions: readonly (StoredPrediction | undefined)[] | undefined,
    criteria: FreshnessCriteria,
    parts: PredictParts,
    outcomes: Map<string, Outcome>,
): Miss[] {
    const misses: Miss[] = [];
    asked.forEach(({ playerId, features }, i) => {
        const stored = storedPredictions?.[i];
        if (stored && isFresh(stored, features, criteria)) {
            parts.hot.put(stored);
            outcomes.set(playerId, succeed(stored, "redis"));
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

/** Asks the model about the misses and answers them. */
async function answerFromModel(
    misses: readonly Miss[],
    { maxAgeMs, cacheWorks }: { readonly maxAgeMs: number; readonly cacheWorks: boolean },
    parts: PredictParts,
    call: Call,
    outcomes: Map<string, Outcome>,
): Promise<void> {
    const { answers, stored } = await parts.model.ask(misses, call.deadline, maxAgeMs);
    misses.forEach((miss, i) => {
        const answer = answers[i];
        if (answer) {
            outcomes.set(miss.playerId, outcomeOf(miss, answer, parts, call));
        }
    });
    if (cacheWorks) {
        // Work that outlives its request is lost when the instance goes, so the answer waits for the write; but only shortly.
        const written = stored.then((error) => {
            if (error !== undefined) {
                parts.report(asError(error), call.log);
            }
        });
        const longest = Math.max(0, Math.min(writeWaitMs, call.deadline - parts.now()));
        await Promise.race([written, sleep(longest, undefined, { ref: false })]);
    }
}

function outcomeOf({ playerId, stored }: Miss, answer: ModelAnswer, parts: PredictParts, call: Call): Outcome {
    if ("prediction" in answer) {
        return succeed(answer.prediction, "model");
    }
    if ("refusal" in answer) {
        return fail(playerId, "invalid_features", answer.refusal);
    }
    reportOrThrow(answer.fault, parts, call);
    if (stored) {
        return succeed(stored, "stale");
    }
    return answer.fault instanceof ModelOverloadedError
        ? fail(playerId, "overloaded", "the model has more to do than it can answer in time, and no prediction is stored: try again later")
        : fail(playerId, "model_unavailable", "the model does not answer and no prediction is stored: try again");
}

const sources = { memory: "cache", redis: "cache", model: "model", stale: "stale" } as const satisfies Record<Tier, Answered["source"]>;

function succeed(prediction: Prediction, tier: Tier): Outcome {
    return { prediction, source: sources[tier], tier };
}

function fail(playerId: string, code: PlayerError["code"], message: string): Outcome {
    return { error: { playerId, code, message } };
}

/** Faults of the cache and the model are reported and got around; anything else is a fault of this program. */
function reportOrThrow(error: unknown, parts: PredictParts, call: Call): void {
    if (
        error instanceof CacheUnavailableError ||
        error instanceof ModelUnavailableError ||
        error instanceof ModelAnswerError ||
        error instanceof ModelOverloadedError
    ) {
        parts.report(error, call.log);
    } else {
        throw error;
    }
}

function asError(error: unknown): Error {
    return error instanceof Error ? error : new Error(String(error));
}
