import type { TokenCredential } from "@azure/identity";
import * as z from "zod";
import { mapValues } from "../map-values";
import { AzureCallError, callAzure } from "./azure-call";

/** A job of an Azure ML workspace. */
export interface CommandJob {
    readonly name: string;
    /** Azure ML's word: `Queued`, `Running`, `Completed`, `Failed`, `Canceled` and others on the way. */
    readonly status: string;
}

/** What a job runs, as whom, on what. */
export interface CommandJobSubmission {
    /** Group of the job in Azure ML's studio. */
    readonly experiment: string;
    readonly description: string;
    /** For a shell in the folder of the code; `${{inputs.<name>}}` and `${{outputs.<name>}}` become folders on the node. */
    readonly command: string;
    /** ARM ids of a code version, an environment version and a compute cluster. */
    readonly codeId: string;
    readonly environmentId: string;
    readonly computeId: string;
    /** Client id of that identity of the cluster which reads the inputs and writes the outputs. */
    readonly identityClientId: string;
    /** Folders that the command reads and writes, by name: URLs of blobs, or addresses in a datastore. */
    readonly inputs: Readonly<Record<string, string>>;
    readonly outputs: Readonly<Record<string, string>>;
    /** After which the job is ended. Seconds. */
    readonly timeoutSeconds: number;
}

/** Whether a job has ended without success. */
export function hasFailed({ status }: CommandJob): boolean {
    return status === "Failed" || status === "Canceled";
}

/** The jobs of an Azure ML workspace. */
export interface CommandJobs {
    /** A job, or undefined when there is none of that name. @throws CommandJobsError */
    find(name: string): Promise<CommandJob | undefined>;
    /** Starts a job under a name, or gives the one that has it: however often it is submitted, there is one. @throws CommandJobsError */
    submit(name: string, submission: CommandJobSubmission): Promise<CommandJob>;
}

/** The workspace could not be asked, or refused; without a status, the job may have been started nevertheless. */
export class CommandJobsError extends AzureCallError {
    override readonly name = "CommandJobsError";
}

/** That of the program's resources: https://learn.microsoft.com/rest/api/azureml/jobs/create-or-update */
const apiVersion = "2025-12-01";

const jobSchema = z.object({ name: z.string().min(1), properties: z.object({ status: z.string().min(1) }) });

/** @param jobsUri of a workspace in Azure Resource Manager: `https://management.azure.com/<ARM id of the workspace>/jobs` */
export function createCommandJobs(jobsUri: string, credential: TokenCredential): CommandJobs {
    const service = { credential, scope: "https://management.azure.com/.default", timeoutMs: 30_000, error: CommandJobsError };
    const url = (name: string) => `${jobsUri}/${encodeURIComponent(name)}?api-version=${apiVersion}`;

    async function find(name: string): Promise<CommandJob | undefined> {
        try {
            return await callAzure(service, "GET", url(name), readJob);
        } catch (error) {
            if (hasStatus(error, 404)) {
                return undefined;
            }
            throw error;
        }
    }

    return {
        find,

        async submit(name, submission) {
            try {
                return await callAzure(service, "PUT", url(name), readJob, { properties: propertiesOf(name, submission) });
            } catch (error) {
                // A second job of the name is refused, as one whose settings cannot be changed: https://github.com/MicrosoftDocs/azure-docs/issues/122250
                const job = hasStatus(error, 400, 409) ? await find(name) : undefined;
                if (job === undefined) {
                    throw error;
                }
                return job;
            }
        },
    };
}

/** `CommandJob` of the specification: https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/jobs */
export function propertiesOf(name: string, submission: CommandJobSubmission) {
    const { experiment, description, command, codeId, environmentId, computeId, identityClientId, inputs, outputs, timeoutSeconds } = submission;
    return {
        jobType: "Command",
        displayName: name,
        experimentName: experiment,
        description,
        command,
        codeId,
        environmentId,
        computeId,
        // Without it data of datastores that hold no credentials is read under the cluster's identity only as a fallback:
        // https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication
        identity: { identityType: "Managed", clientId: identityClientId },
        inputs: mapValues(inputs, (uri) => ({ jobInputType: "uri_folder", mode: "ReadOnlyMount", uri }) as const),
        outputs: mapValues(outputs, (uri) => ({ jobOutputType: "uri_folder", mode: "ReadWriteMount", uri }) as const),
        limits: { jobLimitsType: "Command", timeout: `PT${timeoutSeconds}S` },
    } as const;
}

function readJob(body: unknown): CommandJob {
    const { name, properties } = jobSchema.parse(body);
    return { name, status: properties.status };
}

function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
    return error instanceof CommandJobsError && error.status !== undefined && statuses.includes(error.status);
}
