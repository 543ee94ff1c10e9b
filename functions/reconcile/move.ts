import { giveUp, maxFailedJobs, queueFolder, retryDelaySeconds } from "../batches/retries";
import { type BatchState, changeBatch, type StoredBatch } from "../batches/state";
import { type BatchJob, BatchEndpointError } from "../clients/batch-endpoint";
import { outcomeOf } from "./outcome";
import { logStep, type ReconcileParts } from "./parts";

/**
 * Asks for the job of a submitted batch and moves the batch's state to where the job is. A job that failed is followed by another one, a
 * bounded number of times; one that a person canceled is not.
 *
 * @returns the state now, or undefined when somebody else moved it meanwhile.
 * @throws BatchEndpointError when the endpoint cannot be asked, LakeError
 */
export async function moveBatch(batch: StoredBatch, parts: ReconcileParts): Promise<StoredBatch | undefined> {
    const { state } = batch;
    const status = await statusOf(state, parts);
    logStep(parts, "asked", { batch: state.batch, folder: state.folder, job: state.job, jobStatus: status });
    const moved = await move(batch, status, parts);
    if (moved !== batch) {
        logStep(parts, "moved", { batch: state.batch, folder: state.folder, job: state.job, status: moved?.state.status ?? null, reason: moved?.state.reason });
    }
    return moved;
}

async function statusOf({ job = "" }: BatchState, { endpoint }: ReconcileParts): Promise<BatchJob["status"]> {
    try {
        return (await endpoint.get(job)).status;
    } catch (error) {
        if (error instanceof BatchEndpointError && error.status === 404) {
            return "NotFound";
        }
        throw error;
    }
}

/** https://learn.microsoft.com/python/api/azure-ai-ml/azure.ai.ml.entities.job#azure-ai-ml-entities-job-status */
async function move(batch: StoredBatch, jobStatus: string, parts: ReconcileParts): Promise<StoredBatch | undefined> {
    const { state } = batch;
    switch (jobStatus) {
        case "Completed":
            return completed(batch, parts);
        case "Failed":
        case "NotFound":
            return failed(batch, { jobStatus, reason: `job ${state.job} ended as ${jobStatus}; its logs in Azure ML say why` }, parts);
        case "Canceled":
            return giveUp(parts, batch, { jobStatus, reason: `job ${state.job} was canceled` });
        default:
            return state.jobStatus === jobStatus ? batch : changeBatch(parts, batch, { jobStatus });
    }
}

async function completed(batch: StoredBatch, parts: ReconcileParts): Promise<StoredBatch | undefined> {
    const { state } = batch;
    const { rows, refused, refusedFiles, outputFiles, unscored } = await outcomeOf(parts.lake, state);
    const known = { jobStatus: "Completed", rows, outputFiles, ...(refused > 0 && { refusedFiles }) };
    if (unscored.length > 0) {
        const reason = `job ${state.job} ended without a word of ${unscored.length} of ${state.files} files: ${named(unscored)}; its logs in Azure ML say why`;
        return failed(batch, { ...known, reason }, parts);
    }
    if (refused > 0) {
        // Another job would refuse them again: a person has to see to the files, or to the model that they do not suit.
        const reasons = refusedFiles.map(({ file, reason }) => `${file}: ${reason}`);
        return giveUp(parts, batch, { ...known, reason: `${refused} of ${state.files} files were refused: ${named(reasons)}` });
    }
    return changeBatch(parts, batch, { ...known, status: "completed" });
}

async function failed(batch: StoredBatch, change: Partial<BatchState> & { readonly reason: string }, parts: ReconcileParts): Promise<StoredBatch | undefined> {
    const failedJobs = batch.state.failedJobs + 1;
    if (failedJobs >= maxFailedJobs) {
        return giveUp(parts, batch, { ...change, failedJobs });
    }
    // The state first: `score` passes over a message of a batch that it finds submitted. Without the message, the next run sends it.
    const moved = await changeBatch(parts, batch, { ...change, status: "failed", failedJobs });
    if (moved) {
        await queueFolder(parts, moved.state, retryDelaySeconds(failedJobs));
    }
    return moved;
}

function named(texts: readonly string[]): string {
    return texts.length > 5 ? `${texts.slice(0, 5).join("; ")}; and others` : texts.join("; ");
}
