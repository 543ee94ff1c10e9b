import { randomUUID } from "node:crypto";
import path from "node:path";
import { z } from "zod";
import type { IdentityPart } from "../../parts/identity";
import { ensurePython } from "../../parts/python";
import type { Workshop } from "../../parts/workshop";
import type { AccessControl } from "../access";
import { armResource, LocalCloudError, type CloudService, type Identified, type Registration } from "../resource-type";
import type { StorageService } from "../storage/service";
import type { ModelAssets } from "./assets";
import { runBatchJob } from "./batch-job";
import type { Computes } from "./computes";
import { codeConfiguration } from "./inputs";
import { described, type Job, tellOfEnd } from "./job";
import { JobStore } from "./job-store";
import { GateError, json, startGate, type Gate, type GateAnswer, type GateRequest } from "./gate";

const deploymentInputs = z.object({
    endpointName: z.string(),
    properties: z.object({
        model: z.object({ assetId: z.string() }),
        compute: z.string(),
        codeConfiguration,
        outputAction: z.literal("SummaryOnly"),
        miniBatchSize: z.number().int().positive().default(10),
        maxConcurrencyPerInstance: z.number().int().positive().default(1),
        resources: z.object({ instanceCount: z.number().int().positive().default(1) }).default({ instanceCount: 1 }),
        retrySettings: z.object({ maxRetries: z.number().int().nonnegative().default(3) }).default({ maxRetries: 3 }),
        errorThreshold: z.number().int().default(-1),
    }),
});
const jobRequest = z.object({
    properties: z.object({
        InputData: z.record(z.string(), z.object({ JobInputType: z.literal("UriFolder"), Uri: z.url() })),
        OutputData: z.record(z.string(), z.object({ JobOutputType: z.literal("UriFolder"), Uri: z.string() })),
    }),
});

type DeploymentInputs = z.infer<typeof deploymentInputs>;

/** Batch endpoints: jobs posted to them run the batch scoring script in worker processes, under the compute cluster's identity. */
export class BatchEndpoints implements CloudService {
    readonly #gates = new Map<string, Gate>();
    readonly #deployments = new Map<string, DeploymentInputs>();
    readonly #jobs: JobStore<Job>;

    constructor(
        private readonly workshop: Workshop,
        private readonly identity: IdentityPart,
        private readonly access: AccessControl,
        private readonly computes: Computes,
        private readonly storage: StorageService,
        private readonly assets: ModelAssets,
    ) {
        this.#jobs = new JobStore(workshop, "jobs");
    }

    readonly types = {
        "azure-native:machinelearningservices:BatchEndpoint": {
            identify: armResource("Microsoft.MachineLearningServices/workspaces/batchEndpoints", "workspaceName", "endpointName"),
            create: async (registration: Registration, { id, name }: Identified) => {
                const gate =
                    this.#gates.get(name) ??
                    (await startGate(this.workshop, {
                        name,
                        identity: this.identity,
                        access: this.access,
                        needs: () => ({ permission: "models/score", scope: id }),
                        answer: (request) => Promise.resolve(this.#answer(id, name, request)),
                    }));
                this.#gates.set(name, gate);
                return { properties: { ...(registration.inputs.properties as object), scoringUri: `${gate.address}/jobs` } };
            },
            remove: async (_registration: Registration, { name }: Identified) => {
                await this.#gates.get(name)?.stop();
                this.#gates.delete(name);
                this.#jobs.clear();
            },
        },
        "azure-native:machinelearningservices:BatchDeployment": {
            identify: armResource(
                "Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments",
                "workspaceName",
                "endpointName",
                "deploymentName",
            ),
            create: (registration: Registration, { name }: Identified) => {
                const inputs = deploymentInputs.parse(registration.inputs);
                if (this.computes.identityOf(inputs.properties.compute) === undefined) {
                    throw new LocalCloudError(`batch deployment "${registration.name}": there is no compute ${inputs.properties.compute}`);
                }
                const deployment = `${inputs.endpointName}/${name}`;
                this.#deployments.set(deployment, inputs);
                this.#resume(deployment, inputs);
                return {};
            },
            remove: (registration: Registration, { name }: Identified) => {
                this.#deployments.delete(`${deploymentInputs.parse(registration.inputs).endpointName}/${name}`);
            },
        },
    };

    #answer(endpointId: string, endpointName: string, request: GateRequest): GateAnswer {
        const [, jobs, jobName] = request.path.split("/");
        if (jobs !== "jobs") {
            throw new GateError(404, `the endpoint has no path ${request.path}`);
        }
        if (request.method === "GET" && jobName !== undefined) {
            const job = this.#jobs.load(decodeURIComponent(jobName));
            if (job === undefined) {
                throw new GateError(404, `there is no job ${jobName}`);
            }
            return json(200, described(job));
        }
        if (request.method !== "POST" || jobName !== undefined) {
            throw new GateError(405, "jobs are posted to /jobs and read at /jobs/<name>");
        }
        return json(201, described(this.#submit(endpointId, endpointName, request)));
    }

    #submit(endpointId: string, endpointName: string, request: GateRequest): Job {
        const deployment = this.#deployments.get(`${endpointName}/${request.deployment}`);
        if (deployment === undefined) {
            throw new GateError(404, `no deployment ${request.deployment ?? "by default"}`);
        }
        const parsed = jobRequest.safeParse(JSON.parse(request.body.toString() || "null"));
        if (!parsed.success) {
            throw new GateError(400, z.prettifyError(parsed.error));
        }
        const [input] = Object.values(parsed.data.properties.InputData);
        const [output] = Object.values(parsed.data.properties.OutputData);
        if (input === undefined || output === undefined) {
            throw new GateError(400, "InputData and OutputData each need an entry");
        }
        this.assets.locate(output.Uri);
        const job: Job = {
            name: `batchjob-${randomUUID()}`,
            endpointId,
            deployment: `${endpointName}/${request.deployment}`,
            input: this.#folderOf(input.Uri),
            outputUri: output.Uri,
            status: "Running",
        };
        this.#jobs.save(job);
        this.#start(job, deployment);
        return job;
    }

    #folderOf(uri: string): Job["input"] {
        const { account, container, path: folder } = this.storage.locate(uri);
        return { account: account.name, container, folder };
    }

    /** Azure ML's jobs go on when this machine's processes do not: what a stop interrupted is run again. */
    #resume(deployment: string, inputs: DeploymentInputs): void {
        for (const job of this.#jobs.all()) {
            if (job.deployment === deployment && this.#jobs.wasInterrupted(job)) {
                this.#start(job, inputs);
            }
        }
    }

    #start(job: Job, inputs: DeploymentInputs): void {
        const [workspaceId = ""] = job.endpointId.split("/batchEndpoints/");
        const experiment = job.deployment.split("/")[0] ?? "";
        this.#jobs.run(
            job,
            (signal) => this.#run(job, inputs, signal),
            () => tellOfEnd({ workspaceId, experiment, name: job.name, status: job.status }, this.storage.events),
        );
    }

    async #run(job: Job, { properties }: DeploymentInputs, signal: AbortSignal): Promise<void> {
        const output = this.assets.locate(job.outputUri);
        const folder = (account: string, container: string, name: string) => this.computes.folder(properties.compute, account, container, `${name}/`);
        const codeDir = await this.assets.codeDir(properties.codeConfiguration.codeId);
        await runBatchJob({
            dir: this.#jobs.dirOf(job),
            input: folder(job.input.account, job.input.container, job.input.folder),
            output: folder(output.datastore.accountName, output.datastore.containerName, output.path),
            worker: {
                python: await ensurePython(),
                script: path.join(codeDir, properties.codeConfiguration.scoringScript),
                modelDir: await this.assets.modelDir(properties.model.assetId),
                logFile: this.#jobs.logFile(job),
                signal,
            },
            workers: properties.resources.instanceCount * properties.maxConcurrencyPerInstance,
            miniBatchSize: properties.miniBatchSize,
            maxRetries: properties.retrySettings.maxRetries,
            errorThreshold: properties.errorThreshold,
        });
    }
}
