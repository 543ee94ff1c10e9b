import { batchCallTimeoutMs } from "../clients/batch-endpoint";
import type { FolderContent } from "../batches/folder";
import { outputPathOf } from "../batches/output";
import type { BatchState } from "../batches/state";

/** Another delivery is submitting this batch right now, or was killed over it a moment ago: the next delivery decides. */
export class BatchBusyError extends Error {
    override readonly name = "BatchBusyError";
    readonly retryable = true;
}

/** A claim that is older than the call can take was left by a process that is gone. */
export const claimMs = 2 * batchCallTimeoutMs;

/**
 * The state by which a batch is taken for submission, or why it is not. Of several deliveries one gets it:
 *
 *     first:   absent -> submitting ------------------------> submitted
 *     second:            sees submitting, young: busy          sees submitted: done
 *     later:             sees submitting, old: takes it over, as the next attempt with an output folder of its own
 *
 * @param replayed the attempt that the message, put back from the poison queue, tells of
 * @throws BatchBusyError
 */
export function nextClaim(
    previous: BatchState | undefined,
    folder: string,
    content: FolderContent,
    replayed: number | undefined,
    now: Date,
): BatchState | "already-submitted" | "poisoned" {
    const fresh = { failedJobs: 0, refusals: 0 };
    switch (previous?.status) {
        case undefined:
        case "superseded":
            return claim(previous, folder, content, fresh, now);
        case "submitted":
        case "completed":
            return "already-submitted";
        case "poisoned":
            // Events repeat, too: only the message of this very attempt is a person's word to try again.
            return replayed === previous.attempt ? claim(previous, folder, content, fresh, now) : "poisoned";
        case "submitting":
            if (now.getTime() - Date.parse(previous.updatedAt) < claimMs) {
                throw new BatchBusyError(`batch ${content.batch} of folder ${JSON.stringify(folder)} is being submitted since ${previous.updatedAt}`);
            }
            return claim(previous, folder, content, previous, now);
        case "refused":
        case "failed":
            return claim(previous, folder, content, previous, now);
    }
}

function claim(
    previous: BatchState | undefined,
    folder: string,
    { batch, files, marker }: FolderContent,
    { failedJobs, refusals }: Pick<BatchState, "failedJobs" | "refusals">,
    now: Date,
): BatchState {
    const attempt = (previous?.attempt ?? 0) + 1;
    return {
        batch,
        folder,
        marker,
        status: "submitting",
        attempt,
        failedJobs,
        refusals,
        files,
        outputPath: outputPathOf(folder, batch, attempt),
        createdAt: previous?.createdAt ?? now.toISOString(),
        updatedAt: now.toISOString(),
    };
}
