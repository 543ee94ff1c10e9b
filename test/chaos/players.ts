import type { FingerprintedPrediction } from "../../functions/prediction";
import { csvOf, prediction } from "../functions/cold/predictions";

/** A player's line in a log: who, and when a model would score them. */
export interface LogLine {
    readonly playerId: string;
    readonly scoredAt: string;
}

/** A file of player logs. */
export function logOf(lines: readonly LogLine[]): string {
    return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** What the model makes of a file of player logs: the same at any time. A line that ends with `bad` gives a row that is no prediction. */
export function predictionsOf(log: string): string {
    const lines = log.split("\n").filter((line) => line !== "");
    const good = lines.filter((line) => line.startsWith("{")).map((line) => predictionOf(JSON.parse(line) as LogLine));
    const bad = lines.filter((line) => !line.startsWith("{")).map((line) => `${line}\n`);
    return csvOf(good) + bad.join("");
}

/** Each score differs by player and time, so that a row of one in the place of another shows. */
export function predictionOf({ playerId, scoredAt }: LogLine): FingerprintedPrediction {
    const seed = [...`${playerId} ${scoredAt}`].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1_000_003, 7);
    const [churn, purchase] = [(seed % 1_000) / 1_000, ((seed * 7) % 1_000) / 1_000];
    return prediction(playerId, {
        scoredAt,
        churn: { label: churn >= 0.5, probability: churn },
        purchase: { label: purchase >= 0.5, probability: purchase },
        segment: { id: seed % 3, name: `segment ${seed % 3}` },
        inputsFingerprint: seed.toString(16).padStart(16, "0"),
    });
}
