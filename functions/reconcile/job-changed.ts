import * as z from "zod";
import { batchOfOutput } from "../batches/output";
import { changeBatch, isOpen, listBatches, readBatch, type StoredBatch, submittedAs } from "../batches/state";
import { type BatchJob, BatchEndpointError } from "../clients/batch-endpoint";
import { MessageError } from "../events/blob-created";
import { logStep, type ReconcileParts } from "./parts";
import { follow } from "./reconcile";

/** https://learn.microsoft.com/azure/event-grid/event-schema-machine-learning */
const schema = z.object({
    eventType: z.enum(["Microsoft.MachineLearningServices.RunCompleted", "Microsoft.MachineLearningServices.RunStatusChanged"]),
    data: z.object({ runId: z.string().min(1) }),
});

/** The job that an event of Azure ML is about. @throws MessageError for any other message */
export function parseJobChanged(message: unknown): string {
    const parsed = schema.safeParse(message);
    if (!parsed.success) {
        throw new MessageError(`queue message is no event of an Azure ML job: ${JSON.stringify(message)?.slice(0, 500)}`);
    }
    return parsed.data.data.runId;
}

/** What became of an event; `unknown`: the job is none of an open batch, such as a step of a job or a training. */
export type JobChangedOutcome = "followed" | "adopted" | "unknown";

/**
 * Follows the batch of a job that Azure ML tells of. The event is a hint: what counts is what the endpoint says.
 *
 * @throws BatchEndpointError, LakeError, DatabaseError: the host delivers again; the timer does the same in the end.
 */
export async function jobChanged(job: string, parts: ReconcileParts): Promise<JobChangedOutcome> {
    const found = await jobOf(job, parts);
    const batch = found && (await batchOf(found, parts));
    if (batch === undefined) {
        return "unknown";
    }
    const { state } = batch;
    if (state.job === job && isOpen(state)) {
        await follow(batch, parts);
        return "followed";
    }
    // Whoever started the job may have been killed before its name was written down: where the job writes to tells whose it is.
    if (state.status === "submitting" && state.outputPath === found?.outputPath) {
        logStep(parts, "adopted", { batch: state.batch, folder: state.folder, job });
        return (await changeBatch(parts, batch, submittedAs(found))) === undefined ? "unknown" : "adopted";
    }
    return "unknown";
}

/** The job of the endpoint, which has nothing to do with most of what runs in a workspace. */
async function jobOf(job: string, { endpoint }: ReconcileParts): Promise<BatchJob | undefined> {
    try {
        return await endpoint.get(job);
    } catch (error) {
        if (error instanceof BatchEndpointError && error.status === 404) {
            return undefined;
        }
        throw error;
    }
}

/** The batch of a job by the name of its output folder. Only where the endpoint does not tell of that all batches are gone through. */
async function batchOf({ name, outputPath }: BatchJob, { lake }: ReconcileParts): Promise<StoredBatch | undefined> {
    if (outputPath !== undefined) {
        const batch = batchOfOutput(outputPath);
        return batch === undefined ? undefined : readBatch(lake, batch);
    }
    for await (const { batch, open, job } of listBatches(lake)) {
        if (open && job === name) {
            return readBatch(lake, batch);
        }
    }
    return undefined;
}
