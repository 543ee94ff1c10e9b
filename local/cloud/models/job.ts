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

/** A job that has ended. */
export interface EndedJob {
    /** ARM id. */
    readonly workspaceId: string;
    readonly experiment: string;
    readonly name: string;
    readonly status: string;
}

/**
 * Raises the events of a job that has ended.
 * @see https://learn.microsoft.com/azure/event-grid/event-schema-machine-learning
 */
export async function tellOfEnd({ workspaceId, experiment, name, status }: EndedJob, events: StorageEvents): Promise<void> {
    const experimentId = guidOf(experiment);
    const subject = `experiments/${experimentId}/runs/${name}`;
    const run = { experimentId, experimentName: experiment, runId: name, runType: "azureml.PipelineRun", runTags: {}, runProperties: {} };
    await events.raise(workspaceId, { eventType: "Microsoft.MachineLearningServices.RunStatusChanged", subject, data: { ...run, runStatus: status } });
    if (status === "Completed") {
        await events.raise(workspaceId, { eventType: "Microsoft.MachineLearningServices.RunCompleted", subject, data: run });
    }
}
