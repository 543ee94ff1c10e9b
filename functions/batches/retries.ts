import { markerOf } from "../clients/lake-paths";
import type { Lake } from "../clients/lake";
import type { Queues } from "../clients/queues";
import { containers, poisonSuffix, queues as queueNames } from "../contracts";
import { blobCreatedMessage } from "../events/blob-created";
import { type BatchState, changeBatch, type StoredBatch } from "./state";

/** Jobs that may fail before a batch is given up: what fails three times on fresh nodes does not fail by chance, and each costs node hours. */
export const maxFailedJobs = 3;

/** Times in a row that the endpoint may refuse a job: with the waits between them about an hour. */
export const maxRefusals = 8;

/** A try after this many that came to nothing waits so long, in seconds. */
export function retryDelaySeconds(tries: number): number {
    return Math.min(30 * 2 ** (tries - 1), 1_800);
}

export interface RetryParts {
    readonly lake: Pick<Lake, "containerUrl" | "writeText">;
    readonly queues: Queues;
    readonly now: () => Date;
}

/** Queues the folder again: what `score` finds then decides what it does. */
export async function queueFolder(parts: RetryParts, state: BatchState, delaySeconds = 0): Promise<void> {
    await parts.queues.send(queueNames.foldersReady, folderMessage(parts, state), delaySeconds);
}

/**
 * Gives a batch up: its message goes to the poison queue with the reason, and starts the batch anew when it is put back. The message
 * comes first: a kill between the two costs a second message, not the only one.
 */
export async function giveUp(parts: RetryParts, batch: StoredBatch, change: Partial<BatchState> & { readonly reason: string }): Promise<StoredBatch | undefined> {
    const { state } = batch;
    const poisoned = { batch: state.batch, attempt: state.attempt, reason: change.reason };
    await parts.queues.send(`${queueNames.foldersReady}${poisonSuffix}`, folderMessage(parts, state, { poisoned }));
    return changeBatch(parts, batch, { ...change, status: "poisoned" });
}

function folderMessage({ lake, now }: RetryParts, { folder, marker }: BatchState, more: object = {}): object {
    return blobCreatedMessage({ container: containers.logs, path: markerOf(folder), etag: marker }, lake.containerUrl(containers.logs), now(), more);
}
