import * as z from "zod";
import type { Prediction } from "../prediction";

/** One label as the model gives it. */
export const scoreSchema = z.object({
    label: z.boolean().describe("Yes or no: the probability against the threshold chosen in training."),
    probability: z.number().min(0).max(1).describe("Probability of yes, with 6 decimals."),
});

/** One of the model's groups. */
export const segmentSchema = z.object({
    id: z.int().min(0).max(255),
    name: z.string().min(1).describe("In plain words, for people."),
});

/** Content version of the model folder; kept in 17 bytes at most. */
export const modelVersionSchema = z.string().regex(/^[\x21-\x7e]{1,17}$/, "1 to 17 ASCII characters without blanks");

/** What the model answers to `{"players":[{"playerId":"..","features":{..}}]}`: each player in exactly one of the two lists. */
const answerSchema = z.object({
    modelVersion: modelVersionSchema,
    predictions: z.array(z.object({ playerId: z.string(), churn: scoreSchema, purchase: scoreSchema, segment: segmentSchema })),
    errors: z.array(z.object({ playerId: z.string(), code: z.string(), message: z.string() })),
});

/** One player as the model is asked: features by column name, numbers as numbers and categories as text. */
export interface ModelPlayer {
    readonly playerId: string;
    readonly features: Readonly<Record<string, number | string>>;
}

/** The model's answer, checked: every player that was asked is in exactly one of the lists. */
export interface OnlineAnswer {
    readonly predictions: readonly Prediction[];
    /** Players whose features the model refuses, with the reason. */
    readonly errors: readonly { readonly playerId: string; readonly message: string }[];
}

/** The model did not answer: down, too slow, or refusing. */
export class ModelUnavailableError extends Error {
    override readonly name = "ModelUnavailableError";
    /** HTTP status; undefined when there was no answer at all. */
    readonly status: number | undefined;
    /** Whether the same call may well succeed if it is made again at once, or after `retryAfterMs`. */
    readonly retryable: boolean;
    /** What the endpoint asked to wait. */
    readonly retryAfterMs: number | undefined;

    constructor(message: string, facts: { status?: number; retryable: boolean; retryAfterMs?: number | undefined; cause?: unknown }) {
        super(message, { cause: facts.cause });
        this.status = facts.status;
        this.retryable = facts.retryable;
        this.retryAfterMs = facts.retryAfterMs;
    }
}

/** The model answered something that is not an answer to what it was asked. Asking again would give the same. */
export class ModelAnswerError extends Error {
    override readonly name = "ModelAnswerError";
    readonly retryable = false;
}

/**
 * Checks the text of an answer: its shape, and that it is about exactly the players that were asked.
 *
 * @param scoredAt when the model was asked, ISO 8601.
 * @throws ModelAnswerError saying where it is wrong.
 */
export function readAnswer(text: string, players: readonly ModelPlayer[], scoredAt: string): OnlineAnswer {
    const parsed = answerSchema.safeParse(parseJson(text));
    if (!parsed.success) {
        const issue = parsed.error.issues[0];
        throw new ModelAnswerError(`the model's answer is wrong at ${issue?.path.join(".") || "its root"}: ${issue?.message ?? "unknown"}`);
    }
    const { modelVersion, predictions, errors } = parsed.data;
    const open = new Set(players.map((player) => player.playerId));
    for (const { playerId } of [...predictions, ...errors]) {
        if (!open.delete(playerId)) {
            throw new ModelAnswerError(`the model's answer has player ${JSON.stringify(playerId)}, who was not asked for or comes twice`);
        }
    }
    const [missing] = open;
    if (missing !== undefined) {
        throw new ModelAnswerError(
            `the model's answer lacks ${open.size} of ${players.length} players, ${JSON.stringify(missing)} among them`,
        );
    }
    return { predictions: predictions.map((prediction) => ({ ...prediction, modelVersion, scoredAt })), errors };
}

function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch (cause) {
        // Python writes NaN and Infinity as they are, which is no JSON: such scores end here too.
        throw new ModelAnswerError(`the model's answer is not JSON: ${JSON.stringify(text.slice(0, 80))}`, { cause });
    }
}
