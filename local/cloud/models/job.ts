import { guidOf } from "../ids";
import type { StorageEvents } from "../storage/events";

/** A job of a batch endpoint, as it is kept. */
export interface Job {
    readonly name: string;
    readonly endpointId: string;
    readonly deployment: string;
    /** Kept without its address: the ports of the next run are others. */
    readonly input: { readonly account: string; readonly container: string; readonly folder: string };
    readonly outputUri: string;
    status: "Running" | "Completed" | "Failed";
}

/** The job as the endpoint describes it. */
export function described(job: Job): object {
    return {
        id: `${job.endpointId}/jobs/${job.name}`,
        name: job.name,
        type: "Microsoft.MachineLearningServices/workspaces/batchEndpoints/jobs",
        properties: { status: job.status, outputData: { predictions: { jobOutputType: "UriFolder", uri: job.outputUri } } },
    };
}

/**
 * Raises the events of a job that has ended.
 * @see https://learn.microsoft.com/azure/event-grid/event-schema-machine-learning
 */
export async function tellOfEnd(job: Job, events: StorageEvents): Promise<void> {
    const [workspaceId = ""] = job.endpointId.split("/batchEndpoints/");
    const experimentId = guidOf(job.deployment);
    const subject = `experiments/${experimentId}/runs/${job.name}`;
    const run = {
        experimentId,
        experimentName: job.deployment.split("/")[0],
        runId: job.name,
        runType: "azureml.PipelineRun",
        runTags: {},
        runProperties: {},
    };
    await events.raise(workspaceId, { eventType: "Microsoft.MachineLearningServices.RunStatusChanged", subject, data: { ...run, runStatus: job.status } });
    if (job.status === "Completed") {
        await events.raise(workspaceId, { eventType: "Microsoft.MachineLearningServices.RunCompleted", subject, data: run });
    }
}
