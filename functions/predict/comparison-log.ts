import * as z from "zod";
import { scoreSchema } from "../clients/online-endpoint-protocol";
import type { Prediction } from "../prediction";

const sideSchema = z.object({
    version: z.string(),
    /** Time of the call that the prediction came with, in milliseconds. */
    ms: z.number(),
    churn: scoreSchema,
    purchase: scoreSchema,
    segment: z.string(),
});

/** What a model made for a player, kept for the comparison of two models: from both in the shadow mode, from one where each has its share. */
export const comparisonSchema = z
    .object({ at: z.iso.datetime(), playerId: z.string(), live: sideSchema.optional(), challenger: sideSchema.optional() })
    .refine(({ live, challenger }) => live !== undefined || challenger !== undefined, "neither model is there");

export type Comparison = z.output<typeof comparisonSchema>;
export type ComparisonSide = z.output<typeof sideSchema>;

/** One model's side of a comparison. */
export function sideOf({ modelVersion, churn, purchase, segment }: Prediction, ms: number): ComparisonSide {
    return { version: modelVersion, ms: Math.round(ms * 100) / 100, churn, purchase, segment: segment.name };
}
