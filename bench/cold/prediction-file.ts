import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileColumns as columns } from "../../functions/load/columns";

const rowsAChunk = 10_000;
const segments = ["Night owls", "Weekend players", "New arrivals", "밤 올빼미"];

/**
 * Writes a file as the batch job writes it: each player once, in an order that has nothing to do with that of the ids.
 *
 * @param scoredAt seconds since 2026-01-01: a later file must have more
 */
export async function writePredictions(file: string, players: number, scoredAt: number): Promise<void> {
    const at = new Date(Date.UTC(2026, 0, 1) + scoredAt * 1_000).toISOString();
    // Coprime with any count that has no such large prime in it: goes through every player once.
    const stride = 7_368_787;
    function* chunks(): Generator<string> {
        yield `${columns.join(",")}\n`;
        for (let first = 0; first < players; first += rowsAChunk) {
            let text = "";
            for (let i = first; i < Math.min(first + rowsAChunk, players); i += 1) {
                const player = (i * stride) % players;
                const churn = ((player * 7919 + scoredAt) % 1_000_001) / 1e6;
                const purchase = ((player * 104_729 + scoredAt) % 1_000_001) / 1e6;
                const segment = player % segments.length;
                const fingerprint = player.toString(16).padStart(16, "0");
                text +=
                    `${100_000_000 + player},${churn >= 0.5 ? 1 : 0},${churn},${purchase >= 0.5 ? 1 : 0},${purchase},` +
                    `${segment},${segments[segment]},0123456789ab,${at},${fingerprint}\n`;
            }
            yield text;
        }
    }
    await pipeline(Readable.from(chunks()), createWriteStream(file));
}
