import type { TokenCredential } from "@azure/identity";
import * as z from "zod";
import type { Settings } from "../settings";
import { AzureCallError, callAzure } from "./azure-call";

/** A job of the batch endpoint. */
export interface BatchJob {
    /** Its id under the endpoint. */
    readonly name: string;
    /** Azure ML's word: `Queued`, `Running`, `Completed`, `Failed`, `Canceled` and others on the way. */
    readonly status: string;
    /** Folder in the output datastore that it writes to, where the endpoint tells. */
    readonly outputPath?: string | undefined;
}

/** What a job works on. */
export interface BatchSubmission {
    /** URL of the folder that is scored, with all files in it. */
    readonly inputUri: string;
    /** Folder in the output datastore, without slashes at its ends; no other job may have written there. */
    readonly outputPath: string;
}

/** The Azure ML batch endpoint. */
export interface BatchEndpoint {
    /** Starts a job. @throws BatchEndpointError */
    submit(submission: BatchSubmission): Promise<BatchJob>;
    /** A job's state. @throws BatchEndpointError, with status 404 for a job that the endpoint does not know. */
    get(jobName: string): Promise<BatchJob>;
}

/** The batch endpoint could not be asked, or refused; without a status, a job may have been started nevertheless. */
export class BatchEndpointError extends AzureCallError {
    override readonly name = "BatchEndpointError";
}

/** Longest wait for an answer: the endpoint only takes the job down, it does not run it. Milliseconds. */
export const batchCallTimeoutMs = 30_000;

const jobSchema = z.object({
    name: z.string().min(1),
    properties: z.object({
        status: z.string().min(1),
        // https://github.com/Azure/azure-sdk-for-python/tree/main/sdk/ml/azure-ai-ml (BatchJob of v2020_09_01_dataplanepreview)
        outputData: z.record(z.string(), z.object({ uri: z.string().nullish() })).nullish(),
    }),
});

type BatchSettings = Pick<Settings, "BATCH_SCORING_URI" | "BATCH_DEPLOYMENT" | "BATCH_OUTPUT_DATASTORE">;

/**
 * Calls the batch endpoint with the handlers' identity
 * (https://learn.microsoft.com/azure/machine-learning/how-to-access-data-batch-endpoints-jobs?tabs=rest).
 */
export function createBatchEndpoint(settings: BatchSettings, credential: TokenCredential): BatchEndpoint {
    const service = {
        credential,
        scope: "https://ml.azure.com/.default",
        // Picks the deployment without touching the endpoint's default one.
        headers: { "azureml-model-deployment": settings.BATCH_DEPLOYMENT },
        timeoutMs: batchCallTimeoutMs,
        error: BatchEndpointError,
    };

    return {
        submit({ inputUri, outputPath }) {
            return callAzure(service, "POST", settings.BATCH_SCORING_URI, readJob, {
                properties: {
                    InputData: { folder: { JobInputType: "UriFolder", Uri: inputUri } },
                    OutputData: {
                        predictions: {
                            JobOutputType: "UriFolder",
                            Uri: `azureml:${settings.BATCH_OUTPUT_DATASTORE}/paths/${outputPath}/`,
                        },
                    },
                },
            });
        },

        get(jobName) {
            return callAzure(service, "GET", `${settings.BATCH_SCORING_URI}/${encodeURIComponent(jobName)}`, readJob);
        },
    };
}

function readJob(body: unknown): BatchJob {
    const { name, properties } = jobSchema.parse(body);
    return { name, status: properties.status, outputPath: outputPathOf(Object.values(properties.outputData ?? {})[0]?.uri ?? "") };
}

function outputPathOf(uri: string): string | undefined {
    return /\/paths\/(?<path>.+?)\/?$/su.exec(uri)?.groups?.["path"];
}
