import { stringify } from "csv-stringify/sync";
import { fileColumns as columns } from "../../../functions/load/columns";
import type { FingerprintedPrediction } from "../../../functions/prediction";

/** A prediction of the player; the same each time but for what is changed. */
export function prediction(playerId: string, changes: Partial<FingerprintedPrediction> = {}): FingerprintedPrediction {
    return {
        playerId,
        churn: { label: true, probability: 0.75 },
        purchase: { label: false, probability: 0.046651 },
        segment: { id: 2, name: "Night owls, 밤" },
        modelVersion: "0123456789ab",
        scoredAt: "2026-01-31T12:00:00.123Z",
        inputsFingerprint: "0123456789abcdef",
        ...changes,
    };
}

/** Its fields by the columns of a batch output file. */
export function recordOf(value: FingerprintedPrediction): Record<(typeof columns)[number], string> {
    return {
        player_id: value.playerId,
        churn_label: value.churn.label ? "1" : "0",
        churn_probability: String(value.churn.probability),
        purchase_label: value.purchase.label ? "1" : "0",
        purchase_probability: String(value.purchase.probability),
        segment_id: String(value.segment.id),
        segment_name: value.segment.name,
        model_version: value.modelVersion,
        scored_at: value.scoredAt,
        inputs_fingerprint: value.inputsFingerprint,
    };
}

/** A batch output file. */
export function csvOf(predictions: readonly FingerprintedPrediction[]): string {
    return stringify(predictions.map(recordOf), { columns: [...columns], header: true });
}
