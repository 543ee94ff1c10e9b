/** What the models say of one player. */
export interface Prediction {
    /** The id under which the game knows the player: 1 to 64 characters. */
    readonly playerId: string;
    /** Will the player leave? */
    readonly churn: Score;
    /** Will the player pay? */
    readonly purchase: Score;
    /** The group that the player belongs to. */
    readonly segment: Segment;
    /** Version of the model folder that made this prediction: 12 hexadecimal digits for the models of `ml/`, at most 17 ASCII characters. */
    readonly modelVersion: string;
    /** When the model was asked: ISO 8601, UTC, milliseconds (`2026-01-31T12:00:00.000Z`). */
    readonly scoredAt: string;
}

/** A yes or no with the probability of yes. */
export interface Score {
    /** Yes or no: the probability against the threshold that was chosen in training. */
    readonly label: boolean;
    /** 0 to 1, with 6 decimals: rounded by the model, so that the same number is kept everywhere. */
    readonly probability: number;
}

/** One of the model's groups. */
export interface Segment {
    /** 0 to 255. */
    readonly id: number;
    /** In plain words, for people. */
    readonly name: string;
}

/** A prediction with the fingerprint of the inputs that it was made from, as caches and loads pass it on. */
export interface FingerprintedPrediction extends Prediction {
    /** First 8 bytes of the SHA-256 of the canonical inputs, 16 hexadecimal digits (see `functions/predict/fingerprint.ts`). */
    readonly inputsFingerprint: string;
}
