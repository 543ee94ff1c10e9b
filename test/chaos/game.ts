import { logOf, predictionsOf } from "./players";
import type { SourceObject } from "./source";

const [first, second] = ["players/dt=2026-01-31", "players/dt=2026-02-01"];

/** A file of a day; some of the players are in the files of both days. */
function log(scoredAt: string, players: readonly string[], more = ""): SourceObject {
    return { body: `${logOf(players.map((playerId) => ({ playerId, scoredAt })))}${more}`, contentType: "application/jsonl" };
}

const both = Array.from({ length: 8 }, (_, index) => `player ${index}`);

/**
 * The bucket as the game leaves it, time after time: a day, the next day, and a file of the first day written again, whose players are
 * scored later than in the file of before, and one of them later than in the next day's.
 */
export const sources: readonly Readonly<Record<string, SourceObject>>[] = (() => {
    const start = {
        [`${first}/part-0.csv`]: { ...log("2026-01-31T12:00:00.000Z", [...both, "한국 플레이어"]), encryption: "aws:kms" as const },
        [`${first}/part-1.csv`]: log("2026-01-31T12:30:00.000Z", ["only the first day", "twice"], "bad row\n"),
    };
    const next = { ...start, [`${second}/part-0.csv`]: log("2026-02-01T12:00:00.000Z", [...both, "twice", "only the second day"]) };
    const rewritten = { ...next, [`${first}/part-1.csv`]: log("2026-02-01T13:00:00.000Z", ["only the first day", "twice"], "bad row\nanother\n") };
    return [start, next, rewritten];
})();

/** Folders of the last state with the files of predictions that must come of each: their content by their name. */
export function finalPredictions(): Record<string, Record<string, string>> {
    return outputsOf(sources.at(-1) ?? {});
}

/** Whether a file of predictions is one that some state of the bucket gives. */
export function isPredictionsFile(folder: string, name: string, content: string): boolean {
    return sources.some((state) => outputsOf(state)[folder]?.[name] === content);
}

function outputsOf(state: Readonly<Record<string, SourceObject>>): Record<string, Record<string, string>> {
    const outputs: Record<string, Record<string, string>> = {};
    for (const [key, { body }] of Object.entries(state)) {
        const [folder, name] = [key.slice(0, key.lastIndexOf("/")), key.slice(key.lastIndexOf("/") + 1)];
        (outputs[folder] ??= {})[name] = predictionsOf(body);
    }
    return outputs;
}
