import { placeOf, readStates } from "../batches/list";
import { type BatchEntry, type BatchState, listBatches } from "../batches/state";
import type { Lake } from "../clients/lake";

/** What was scored on a day. */
export interface ScoredDay {
    /** When the batches were taken to be scored: a date of UTC, such as `2026-01-31`. */
    readonly day: string;
    /** The newest of each folder that has completed, oldest first. */
    readonly batches: readonly BatchState[];
    /** How many batches of this day or of later ones have not completed: they are not scored yet, or were given up. */
    readonly others: number;
}

/**
 * The newest day of which a batch has completed; undefined when there is none. A batch that lacks files of its folder is none of them: the
 * players of the others need not be like all.
 *
 * @throws LakeError
 */
export async function newestScoredDay(lake: Pick<Lake, "list" | "readText">): Promise<ScoredDay | undefined> {
    const entries: BatchEntry[] = [];
    for await (const entry of listBatches(lake)) {
        entries.push(entry);
    }
    const completed = entries.filter(({ status }) => status === "completed");
    const day = completed.map(dayOf).sort().at(-1);
    if (day === undefined) {
        return undefined;
    }
    const states = await readStates(lake, completed.filter((entry) => dayOf(entry) === day).sort(byAge));
    const others = entries.filter((entry) => entry.status !== "completed" && entry.status !== "superseded" && dayOf(entry) >= day);
    return { day, batches: newestOfEachFolder(states), others: others.length };
}

function dayOf({ createdAt }: BatchEntry): string {
    return createdAt.slice(0, 10);
}

function byAge(a: BatchEntry, b: BatchEntry): number {
    return placeOf(a) < placeOf(b) ? -1 : 1;
}

/** A folder that has changed is scored again, with players of before. */
function newestOfEachFolder(oldestFirst: readonly BatchState[]): BatchState[] {
    return [...new Map(oldestFirst.map((state) => [state.folder, state])).values()];
}
