import type { Statistics } from "../../../functions/drift/statistics";

export interface CountsChange {
    readonly edges?: readonly number[];
    readonly country?: Readonly<Record<string, number>>;
    readonly unseen?: Readonly<Record<string, number>>;
    readonly churn?: readonly number[];
    readonly churnSum?: number;
    readonly players?: number;
    readonly modelVersion?: string;
}

/** Counts of 1,000 players, or what a test says otherwise. */
export function counted({ edges = [20], country = { KR: 600, FR: 400 }, unseen = {}, churn = [500, 500], churnSum = 500, players = 1_000, modelVersion = "model-1" }: CountsChange = {}): Statistics {
    return {
        shape: 1,
        modelVersion,
        players,
        features: {
            age: { type: "number", edges: [...edges], counts: [500, 500], sum: 20_000, missing: 0 },
            country: { type: "category", counts: { ...country }, unseen: { ...unseen }, unseenOthers: 0, missing: 0 },
        },
        scores: { churn: { edges: [0.5], counts: [...churn], sum: churnSum } },
        segments: [700, 300],
    };
}
