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

type Success = Answered & { readonly tier: Tier };
type Outcome = Success | { readonly error: PlayerError };

/** A player of a request. One that comes twice in it is one of these. */
interface Asked {
    readonly playerId: string;
    /** The inputs as the request has them: the first, where it has several. */
    given: unknown;
    /** The checked inputs, if the request has any. */
    features: Features | undefined;
    /** What the player is answered with, once it is known. */
    outcome: Outcome | undefined;
}

/** A player to ask the model about, with the stored prediction that is the answer if the model gives none. */
interface Miss {
    readonly playerId: string;
    readonly features: Features;
    readonly stored: StoredPrediction | undefined;
    readonly player: Asked;
}

/**
 * Answers each player of a request: from the process's memory or the cache where the stored prediction counts (`isFresh`), by one call of
 * the model for all others, and with a stale prediction where the model gives none. A fault of the cache or the model is never the
 * answer's fault.
 */
export async function predict(request: PredictRequest, parts: PredictParts, call: Call): Promise<Answer> {
    const criteria = { ...request, versionOf: parts.versionOf, now: parts.now() };
    const { players, asked } = takeInputs(request);
    const open = answerFromMemory(asked, criteria, parts);
    if (open.length > 0) {
        const stored = await readStored(open, parts, call);
        const misses = answerFromStored(open, stored, criteria, parts);
        if (misses.length > 0) {
            const maxAgeMs = (request.maxAgeSeconds ?? Infinity) * 1000;
            await answerFromModel(misses, { maxAgeMs, cacheWorks: stored !== undefined }, parts, call);
        }
    }

    const predictions: Success[] = [];
    const errors: PlayerError[] = [];
    for (const { outcome } of players) {
        if (outcome && "prediction" in outcome) {
            predictions.push(outcome);
        } else if (outcome) {
            errors.push(outcome.error);
            parts.metrics.errors.add(outcome.error.code);
        }
    }
    countAnswers(predictions, parts.metrics);
    return { predictions, errors };
}

/** Neighbours mostly have their answers from the same tier and model: they are counted together, which a thousand players a request feel. */
function countAnswers(answers: readonly Success[], metrics: Metrics): void {
    let first = 0;
    answers.forEach(({ tier, prediction: { modelVersion } }, i) => {
        const next = answers[i + 1];
        if (next?.tier !== tier || next.prediction.modelVersion !== modelVersion) {
            metrics.answered(tier, modelVersion, i + 1 - first);
            first = i + 1;
        }
    });
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

/** The players of the request in its order, and each of them once with its checked inputs; those whose inputs are wrong have their outcome. */
function takeInputs({ players, match }: PredictRequest): { readonly players: readonly Asked[]; readonly asked: readonly Asked[] } {
    const byId = new Map<string, Asked>();
    const all = players.map(({ playerId, features }) => {
        const known = byId.get(playerId);
        if (known !== undefined) {
            known.given ??= features;
            return known;
        }
        const player: Asked = { playerId, given: features, features: undefined, outcome: undefined };
        byId.set(playerId, player);
        return player;
    });
    const asked = [...byId.values()];
    asked.forEach((player) => checkInputs(player, match));
    return { players: all, asked };
}

function checkInputs(player: Asked, match: PredictRequest["match"]): void {
    if (player.given === undefined) {
        if (match === "inputs") {
            player.outcome = fail(player.playerId, "invalid_features", "features is missing, expected when match is inputs");
        }
        return;
    }
    const checked = checkFeatures(player.given);
    if ("problem" in checked) {
        player.outcome = fail(player.playerId, "invalid_features", checked.problem);
    } else {
        player.features = checked.features;
    }
}

/** Answers those whom this process was asked about just now, if that prediction counts; returns those who have no answer yet. */
function answerFromMemory(asked: readonly Asked[], criteria: FreshnessCriteria, parts: PredictParts): Asked[] {
    return asked.filter((player) => {
        if (player.outcome === undefined) {
            const hot = parts.hot.get(player.playerId);
            if (hot !== undefined && isFresh(hot.prediction, player.features, criteria)) {
                player.outcome = succeed(hot.prediction, "memory");
            }
        }
        return player.outcome === undefined;
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
): Miss[] {
    const misses: Miss[] = [];
    asked.forEach((player, i) => {
        const { playerId, features } = player;
        const stored = storedPredictions?.[i];
        if (stored && isFresh(stored, features, criteria)) {
            parts.hot.put(stored);
            player.outcome = succeed(stored, "redis");
        } else if (features) {
            misses.push({ playerId, features, stored, player });
        } else if (stored) {
            player.outcome = succeed(stored, "stale");
        } else if (storedPredictions) {
            player.outcome = fail(playerId, "not_found", "no prediction is stored: send the player's features");
        } else {
            const message = "stored predictions cannot be read now: send the player's features, or try again";
            player.outcome = fail(playerId, "cache_unavailable", message);
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
): Promise<void> {
    const { answers, stored } = await parts.model.ask(misses, call.deadline, maxAgeMs);
    misses.forEach((miss, i) => {
        const answer = answers[i];
        if (answer) {
            miss.player.outcome = outcomeOf(miss, answer, parts, call);
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
