import * as z from "zod";
import { changeBatch, listBatches, readBatch, submittedAs } from "../batches/state";
import { BatchEndpointError } from "../clients/batch-endpoint";
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
    const submitting: string[] = [];
    for await (const entry of listBatches(parts.lake)) {
        if (entry.open && entry.job === job) {
            const batch = await readBatch(parts.lake, entry.batch);
            if (batch?.state.job === job) {
                await follow(batch, parts);
                return "followed";
            }
        } else if (entry.status === "submitting") {
            submitting.push(entry.batch);
        }
    }
    const adopted = submitting.length > 0 && (await adopt(job, submitting, parts));
    return adopted ? "adopted" : "unknown";
}

/** Whoever started the job may have been killed before its name was written down: where the job writes to tells whose it is. */
async function adopt(job: string, submitting: readonly string[], parts: ReconcileParts): Promise<boolean> {
    const found = await parts.endpoint.get(job).catch((error: unknown) => {
        if (error instanceof BatchEndpointError && error.status === 404) {
            return undefined;
        }
        throw error;
    });
    if (found?.outputPath === undefined) {
        return false;
    }
    for (const name of submitting) {
        const batch = await readBatch(parts.lake, name);
        if (batch?.state.status === "submitting" && batch.state.outputPath === found.outputPath) {
            logStep(parts, "adopted", { batch: batch.state.batch, folder: batch.state.folder, job: found.name });
            return (await changeBatch(parts, batch, submittedAs(found))) !== undefined;
        }
    }
    return false;
}
