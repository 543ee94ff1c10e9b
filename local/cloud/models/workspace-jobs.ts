import { z } from "zod";
import { mapValues } from "../../../functions/map-values";
import type { IdentityPart } from "../../parts/identity";
import { ensurePython } from "../../parts/python";
import type { Workshop } from "../../parts/workshop";
import type { AccessControl } from "../access";
import type { StorageService } from "../storage/service";
import type { ModelAssets } from "./assets";
import type { BlobFolder } from "./blob-folder";
import { runCommandJob } from "./command-job";
import type { Computes } from "./computes";
import { GateError, json, startGate, type GateAnswer, type GateRequest } from "./gate";
import { durationMs } from "./inputs";
import { tellOfEnd } from "./job";
import { JobStore } from "./job-store";

/** The part of the specification's `CommandJob` that runs here: https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/jobs */
const jobRequest = z.object({
    properties: z.strictObject({
        jobType: z.literal("Command"),
        displayName: z.string().optional(),
        experimentName: z.string().default("Default"),
        description: z.string().optional(),
        command: z.string().min(1),
        codeId: z.string(),
        environmentId: z.string(),
        computeId: z.string(),
        identity: z.object({ identityType: z.literal("Managed"), clientId: z.string() }),
        inputs: z.record(z.string(), z.object({ jobInputType: z.literal("uri_folder"), mode: z.literal("ReadOnlyMount"), uri: z.string() })),
        outputs: z.record(z.string(), z.object({ jobOutputType: z.literal("uri_folder"), mode: z.literal("ReadWriteMount"), uri: z.string() })),
        limits: z.object({ jobLimitsType: z.literal("Command"), timeout: z.string() }),
    }),
});

/** A job of a workspace, as it is kept. */
interface Job {
    readonly name: string;
    readonly workspaceId: string;
    readonly properties: z.infer<typeof jobRequest>["properties"];
    status: "Running" | "Completed" | "Failed";
}

const jobPath = /^(?<workspaceId>\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.MachineLearningServices\/workspaces\/[^/]+)\/jobs\/(?<name>[A-Za-z0-9][\w-]{0,254})$/i;

/** Azure Resource Manager, as far as jobs of Azure ML's workspaces are concerned: a job that is put runs its command under its cluster's identity. */
export class WorkspaceJobs {
    readonly #jobs: JobStore<Job>;

    private constructor(
        workshop: Workshop,
        private readonly computes: Computes,
        private readonly storage: StorageService,
        private readonly assets: ModelAssets,
    ) {
        this.#jobs = new JobStore(workshop, "command-jobs");
    }

    /** @returns its address, without a slash at its end */
    static async start(
        workshop: Workshop,
        identity: IdentityPart,
        access: AccessControl,
        computes: Computes,
        storage: StorageService,
        assets: ModelAssets,
    ): Promise<string> {
        const jobs = new WorkspaceJobs(workshop, computes, storage, assets);
        const { address } = await startGate(workshop, {
            name: "management",
            identity,
            access,
            audience: "https://management.azure.com",
            needs: (request) => ({ permission: "jobs/write", scope: placeOf(request).workspaceId }),
            answer: (request) => Promise.resolve(jobs.#answer(request)),
        });
        return address;
    }

    #answer(request: GateRequest): GateAnswer {
        const { workspaceId, name } = placeOf(request);
        if (!request.query.has("api-version")) {
            throw new GateError(400, "MissingApiVersionParameter: the api-version query parameter (?api-version=) is required for all requests");
        }
        switch (request.method) {
            case "GET":
                return json(200, described(this.#find(name) ?? notFound(name)));
            case "PUT":
                return json(201, described(this.#submit(workspaceId, name, request.body)));
            default:
                throw new GateError(405, "a job is put and read");
        }
    }

    #submit(workspaceId: string, name: string, body: Buffer): Job {
        const parsed = jobRequest.safeParse(JSON.parse(body.toString() || "null"));
        if (!parsed.success) {
            throw new GateError(400, z.prettifyError(parsed.error));
        }
        if (this.#find(name) !== undefined) {
            throw new GateError(400, "A job with this name already exists. If you are trying to create a new job, use a different name.");
        }
        const { properties } = parsed.data;
        const identity = this.computes.identityOf(properties.computeId);
        if (identity === undefined || identity.clientId !== properties.identity.clientId) {
            throw new GateError(400, `there is no compute ${properties.computeId} with an identity of the client id ${properties.identity.clientId}`);
        }
        if (!this.assets.hasEnvironment(properties.environmentId)) {
            throw new GateError(400, `there is no environment ${properties.environmentId}`);
        }
        const job: Job = { name, workspaceId, properties, status: "Running" };
        this.#foldersOf(job);
        this.#jobs.save(job);
        this.#start(job);
        return job;
    }

    /** Azure ML's jobs go on when this machine's processes do not: what a stop interrupted is run again when somebody asks for it. */
    #find(name: string): Job | undefined {
        const job = this.#jobs.load(name);
        if (job !== undefined && this.#jobs.wasInterrupted(job)) {
            this.#start(job);
        }
        return job;
    }

    #start(job: Job): void {
        this.#jobs.run(
            job,
            (signal) => this.#run(job, signal),
            () => tellOfEnd({ ...job, experiment: job.properties.experimentName }, this.storage.events),
        );
    }

    async #run(job: Job, signal: AbortSignal): Promise<void> {
        const { codeId, command, limits } = job.properties;
        await runCommandJob({
            dir: this.#jobs.dirOf(job),
            codeDir: await this.assets.codeDir(codeId),
            python: await ensurePython(),
            command,
            ...this.#foldersOf(job),
            timeoutMs: durationMs(limits.timeout),
            logFile: this.#jobs.logFile(job),
            signal,
        });
    }

    /** Its inputs and outputs as its cluster's identity sees them. @throws LocalCloudError for an address that is in no container */
    #foldersOf({ properties: { computeId, inputs, outputs } }: Job) {
        const folder = ({ uri }: { readonly uri: string }): BlobFolder => {
            const { accountName, containerName, path } = this.#locate(uri);
            return this.computes.folder(computeId, accountName, containerName, `${path}/`);
        };
        return { inputs: mapValues(inputs, folder), outputs: mapValues(outputs, folder) };
    }

    #locate(uri: string): { readonly accountName: string; readonly containerName: string; readonly path: string } {
        if (uri.startsWith("azureml:")) {
            const { datastore, path } = this.assets.locate(uri);
            return { ...datastore, path };
        }
        const { account, container, path } = this.storage.locate(uri);
        return { accountName: account.name, containerName: container, path };
    }
}

function placeOf({ path }: GateRequest): { readonly workspaceId: string; readonly name: string } {
    const { workspaceId, name } = jobPath.exec(decodeURIComponent(path))?.groups ?? {};
    if (workspaceId === undefined || name === undefined) {
        throw new GateError(404, `this machine's Azure Resource Manager has jobs of Azure ML workspaces alone, not ${path}`);
    }
    return { workspaceId, name };
}

function notFound(name: string): never {
    throw new GateError(404, `there is no job ${name}`);
}

function described({ workspaceId, name, properties, status }: Job): object {
    return { id: `${workspaceId}/jobs/${name}`, name, type: "Microsoft.MachineLearningServices/workspaces/jobs", properties: { ...properties, status } };
}
