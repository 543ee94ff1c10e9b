import * as z from "zod";
import type { Lake } from "../clients/lake";
import { inParallel } from "../in-parallel";
import { batchReportSchema, type LoadedParts, withLoaded } from "./loaded";
import { batchStateSchema, type BatchEntry, type BatchState, folderHash, listBatches, readBatch } from "./state";

/** States that are read at a time. */
const readsAtATime = 16;

/** What is asked for, as the query's parameters. */
export const batchQuerySchema = z.strictObject({
    folder: z.string().optional().describe("Only the batches of this folder of `logs`, such as `players/dt=2026-01-31`."),
    status: batchStateSchema.shape.status.optional().describe("Only the batches in this state."),
    limit: z.coerce.number().int().min(1).max(500).default(50).describe("Most batches in the answer."),
    before: z.string().optional().describe("The `next` of the answer before, for the batches that follow."),
});

export type BatchQuery = z.output<typeof batchQuerySchema>;

export const batchListSchema = z.object({
    batches: z.array(batchReportSchema).describe("Newest first."),
    note: z.string().optional().describe("What could not be found out, and why."),
    next: z.string().optional().describe("Where there are more: the `before` by which they are asked for."),
});

export type BatchList = z.output<typeof batchListSchema>;

/** What finding them needs. */
export interface BatchListParts extends LoadedParts {
    readonly lake: Lake;
}

/** The batches that are asked for, newest first. @throws LakeError */
export async function findBatches(parts: BatchListParts, { folder, status, limit, before }: BatchQuery): Promise<BatchList> {
    const { lake } = parts;
    const wanted: BatchEntry[] = [];
    for await (const entry of listBatches(lake)) {
        const fits =
            (folder === undefined || entry.folderHash === folderHash(folder)) &&
            (status === undefined || entry.status === status) &&
            (before === undefined || placeOf(entry) < before);
        if (fits) {
            wanted.push(entry);
        }
    }
    wanted.sort((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
    const page = wanted.slice(0, limit);
    const last = page.at(-1);
    return {
        ...(await withLoaded(await readStates(lake, page), parts)),
        ...(last && wanted.length > limit && { next: placeOf(last) }),
    };
}

/** The states of batches, in the order of the entries; without those that are gone meanwhile. @throws LakeError */
export async function readStates(lake: Pick<Lake, "readText">, entries: readonly BatchEntry[]): Promise<BatchState[]> {
    const states = new Map<string, BatchState>();
    await inParallel(entries, readsAtATime, async ({ batch }) => {
        const found = await readBatch(lake, batch);
        if (found) {
            states.set(batch, found.state);
        }
    });
    return entries.flatMap(({ batch }) => states.get(batch) ?? []);
}

/** Orders batches by their age; those of one moment by their name. */
export function placeOf({ createdAt, batch }: BatchEntry): string {
    return `${createdAt}~${batch}`;
}
