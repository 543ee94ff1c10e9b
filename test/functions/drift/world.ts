import { type BatchState, writeBatch } from "../../../functions/batches/state";
import type { DayReport } from "../../../functions/drift/report";
import type { Statistics } from "../../../functions/drift/statistics";
import type { ColdParts } from "../cold/parts";
import { counted } from "./counts";

/** A batch, and what its job counted. */
export interface ScoredBatch {
    readonly createdAt: string;
    readonly folder?: string;
    readonly status?: BatchState["status"];
    /** Of its output files, one each. @default one like the training data */
    readonly players?: readonly Statistics[];
    /** Undefined: its job wrote none. @default counts of model-1 */
    readonly training?: Statistics | undefined;
}

let made = 0;

/** Writes a batch's state and what its job left in the lake. @returns the batch's name */
export async function putBatch(parts: ColdParts, scored: ScoredBatch): Promise<string> {
    const { createdAt, folder = "players/dt=2026-01-31", status = "completed", players = [counted()] } = scored;
    made += 1;
    const batch = `batch-${made}`;
    const outputPath = `${folder}/${batch}`;
    const state: BatchState = {
        ...{ batch, folder, status, outputPath, createdAt, updatedAt: createdAt },
        ...{ marker: "etag", attempt: 1, failedJobs: 0, refusals: 0, files: players.length },
    };
    await writeBatch(parts.lake, state, undefined);
    const training = "training" in scored ? scored.training : counted();
    const files = { ...(training && { "training.json": training }), ...Object.fromEntries(players.map((counts, i) => [`part-${i}.json`, counts])) };
    for (const [name, counts] of Object.entries(files)) {
        const text = JSON.stringify(counts);
        await parts.container("predictions").getBlockBlobClient(`${outputPath}/_statistics/${name}`).upload(text, Buffer.byteLength(text));
    }
    return batch;
}

/** Players of whom most come from another country than those of the training, and some from one that it has not seen. */
export const shifted = counted({ country: { KR: 100, FR: 700 }, unseen: { JP: 200 } });

/** The reports that are kept, by day. */
export async function reportsOf(parts: Pick<ColdParts, "contents">): Promise<Record<string, DayReport>> {
    const found = Object.entries(await parts.contents("runs")).map(([path, text]) => [path.replace(/^drift\/|\.json$/g, ""), JSON.parse(text) as DayReport] as const);
    return Object.fromEntries(found);
}
