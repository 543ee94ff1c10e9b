import { readFolder } from "../batches/folder";
import { queueFolder, retryDelaySeconds } from "../batches/retries";
import { changeBatch, isOpen, listBatches, readBatch, type StoredBatch } from "../batches/state";
import { claimMs } from "../score/claim";
import { moveBatch } from "./move";
import { queueMissing } from "./outputs";
import { logStep, type ReconcileParts } from "./parts";

/** Some batches could not be followed; the others were. */
export class ReconcileError extends AggregateError {
    override readonly name = "ReconcileError";
    readonly retryable = true;
}

/**
 * Follows every batch that is open: asks for its job, starts it again where the word for that was lost, and queues files of predictions that
 * are not in the database. Word of Azure ML and of Event Grid makes this sooner; nothing depends on it.
 *
 * @throws ReconcileError
 */
export async function reconcile(parts: ReconcileParts): Promise<{ readonly open: number }> {
    const errors: unknown[] = [];
    let open = 0;
    for await (const entry of listBatches(parts.lake)) {
        if (entry.open) {
            open += 1;
            try {
                await reconcileBatch(entry.batch, parts);
            } catch (error) {
                errors.push(error);
                logStep(parts, "failed", { batch: entry.batch, reason: String(error) });
            }
        }
    }
    parts.log(JSON.stringify({ event: "reconcile", open, failed: errors.length }));
    if (errors.length > 0) {
        throw new ReconcileError(errors, `${errors.length} of ${open} open batches could not be followed; the first: ${String(errors[0])}`);
    }
    return { open };
}

async function reconcileBatch(name: string, parts: ReconcileParts): Promise<void> {
    const batch = await readBatch(parts.lake, name);
    if (batch === undefined || !isOpen(batch.state)) {
        return;
    }
    switch (batch.state.status) {
        case "submitting":
        case "refused":
        case "failed":
            await startAgain(batch, parts);
            break;
        case "submitted":
        case "completed":
        case "poisoned":
        case "superseded":
            await follow(batch, parts);
    }
}

/** Moves a batch on, and sees to its files once its job has ended. */
export async function follow(batch: StoredBatch, parts: ReconcileParts): Promise<void> {
    const moved = batch.state.status === "submitted" ? await moveBatch(batch, parts) : batch;
    if (moved && moved.state.status !== "submitted" && isOpen(moved.state) && moved.state.status !== "failed") {
        await queueMissing(moved, parts);
    }
}

/** Queues a folder whose next try is overdue: its message was lost. One that has changed since has a batch of its own. */
async function startAgain(batch: StoredBatch, parts: ReconcileParts): Promise<void> {
    const { state } = batch;
    const tries = state.status === "failed" ? state.failedJobs : Math.max(1, state.refusals);
    const dueAt = Date.parse(state.updatedAt) + retryDelaySeconds(tries) * 1_000 + claimMs;
    if (parts.now().getTime() < dueAt) {
        return;
    }
    const content = await readFolder(parts.lake, state.folder);
    if (content?.batch !== state.batch) {
        const reason = "the folder has changed since";
        await changeBatch(parts, batch, { status: "superseded", reason });
        logStep(parts, "moved", { batch: state.batch, folder: state.folder, status: "superseded", reason });
        return;
    }
    await queueFolder(parts, state);
    logStep(parts, "queued", { batch: state.batch, folder: state.folder, status: state.status });
}
