import * as z from "zod";
import { modelVersionSchema, scoreSchema, segmentSchema } from "../clients/online-endpoint-protocol";
import { playerIdSchema } from "./request";

/** One player's prediction, as the endpoint answers it. */
export const predictionSchema = z.object({
    playerId: playerIdSchema,
    churn: scoreSchema.describe("Will the player leave?"),
    purchase: scoreSchema.describe("Will the player pay?"),
    segment: segmentSchema.describe("The group that the player belongs to."),
    promotion: z.string().nullable().describe("What the players of the segment are to be offered; null where nothing is."),
    modelVersion: modelVersionSchema.describe("Version of the models that made the prediction."),
    scoredAt: z.iso.datetime().describe("When the models were asked."),
    source: z
        .enum(["cache", "model", "stale"])
        .describe(
            "`cache`: stored and fresh. `model`: made for this request. `stale`: stored, not fresh, and the model had no features or no answer.",
        ),
});

/** Why a player has no prediction. */
export const playerErrorSchema = z.object({
    playerId: playerIdSchema,
    code: z
        .enum(["invalid_features", "not_found", "model_unavailable", "overloaded", "cache_unavailable"])
        .describe(
            "`invalid_features`: see the message. `not_found`: nothing is stored, and no features were given. " +
                "`model_unavailable`: nothing is stored, and the model does not answer; try again. " +
                "`overloaded`: nothing is stored, and the model has more to do than it can answer in time; try again later. " +
                "`cache_unavailable`: stored predictions cannot be read now, and no features were given; try again.",
        ),
    message: z.string(),
});

/** The answer to `POST /api/predictions`; both lists in the order of the request. */
export const answerSchema = z.object({
    predictions: z.array(predictionSchema),
    errors: z.array(playerErrorSchema),
});

export type AnsweredPrediction = z.output<typeof predictionSchema>;
export type PlayerError = z.output<typeof playerErrorSchema>;
export type PredictAnswer = z.output<typeof answerSchema>;
