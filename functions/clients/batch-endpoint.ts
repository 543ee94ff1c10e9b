import type { TokenCredential } from "@azure/identity";
import * as z from "zod";
import type { Settings } from "../settings";

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

/** The batch endpoint could not be asked, or refused. */
export class BatchEndpointError extends Error {
    override readonly name = "BatchEndpointError";
    /** Whether the same call may succeed later. */
    readonly retryable: boolean;

    /** @param status HTTP status of the answer; undefined when none came, and then a job may have been started nevertheless. */
    constructor(
        message: string,
        readonly status: number | undefined,
        options?: ErrorOptions,
    ) {
        super(message, options);
        this.retryable = status === undefined || status >= 500 || [404, 408, 429].includes(status);
    }
}

/** Longest wait for an answer: the endpoint only takes the job down, it does not run it. Milliseconds. */
export const batchCallTimeoutMs = 30_000;

const scope = "https://ml.azure.com/.default";

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
    async function call(method: "GET" | "POST", url: string, body?: unknown): Promise<BatchJob> {
        let status: number | undefined;
        let text: string;
        try {
            const token = await credential.getToken(scope);
            const response = await fetch(url, {
                method,
                headers: {
                    authorization: `Bearer ${token?.token}`,
                    "content-type": "application/json",
                    // Picks the deployment without touching the endpoint's default one.
                    "azureml-model-deployment": settings.BATCH_DEPLOYMENT,
                },
                ...(body !== undefined && { body: JSON.stringify(body) }),
                redirect: "manual",
                signal: AbortSignal.timeout(batchCallTimeoutMs),
            });
            status = response.status;
            text = await response.text();
        } catch (error) {
            throw new BatchEndpointError(`${method} ${url} got no whole answer`, undefined, { cause: error });
        }
        if (status < 200 || status > 299) {
            throw new BatchEndpointError(`${method} ${url} was answered with status ${status}: ${text.slice(0, 1_000)}`, status);
        }
        return readJob(text, `${method} ${url}`);
    }

    return {
        submit({ inputUri, outputPath }) {
            return call("POST", settings.BATCH_SCORING_URI, {
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
            return call("GET", `${settings.BATCH_SCORING_URI}/${encodeURIComponent(jobName)}`);
        },
    };
}

function readJob(text: string, place: string): BatchJob {
    try {
        const { name, properties } = jobSchema.parse(JSON.parse(text));
        return { name, status: properties.status, outputPath: outputPathOf(Object.values(properties.outputData ?? {})[0]?.uri ?? "") };
    } catch (error) {
        throw new BatchEndpointError(`${place} was answered with what is no job: ${text.slice(0, 500)}`, undefined, { cause: error });
    }
}

function outputPathOf(uri: string): string | undefined {
    return /\/paths\/(?<path>.+?)\/?$/su.exec(uri)?.groups?.["path"];
}
