import type { StoredPrediction } from "../clients/cache";
import type { Features } from "./features";
import { fingerprint } from "./fingerprint";

/** By what a stored prediction is judged. */
export interface FreshnessCriteria {
    /** Version of the model that is to predict a player. */
    readonly versionOf: (playerId: string) => string;
    /** Milliseconds since 1970. */
    readonly now: number;
    /** Greatest age that the caller takes, by the time of scoring; undefined leaves it to the stored time. */
    readonly maxAgeSeconds?: number | undefined;
    readonly match: "player" | "inputs";
}

/**
 * Whether a stored prediction is as good as the model's own answer: made by the model that is to predict the player, young enough, and, if the caller
 * asks for that, from the same inputs.
 */
export function isFresh(stored: StoredPrediction, features: Features | undefined, criteria: FreshnessCriteria): boolean {
    if (stored.modelVersion !== criteria.versionOf(stored.playerId) || !isYoung(stored, criteria)) {
        return false;
    }
    return criteria.match === "player" || (features !== undefined && stored.inputsFingerprint === fingerprint(features));
}

function isYoung(stored: StoredPrediction, { maxAgeSeconds, now }: FreshnessCriteria): boolean {
    if (maxAgeSeconds === undefined) {
        return now < stored.freshUntil.getTime();
    }
    // 0 asks the model, even for a prediction of this very millisecond.
    return maxAgeSeconds > 0 && now - Date.parse(stored.scoredAt) <= maxAgeSeconds * 1000;
}
