import { randomUUID } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { z } from "zod";
import type { IdentityPart } from "../../parts/identity";
import { ensurePython } from "../../parts/python";
import type { Workshop } from "../../parts/workshop";
import type { AccessControl } from "../access";
import type { IdentityService } from "../identities";
import { armResource, LocalCloudError, type CloudService, type Identified, type Registration } from "../resource-type";
import type { StorageService } from "../storage/service";
import type { ModelAssets } from "./assets";
import { runBatchJob } from "./batch-job";
import { codeConfiguration } from "./inputs";
import { described, type Job, tellOfEnd } from "./job";
import { GateError, startGate, type Gate, type GateAnswer, type GateRequest } from "./gate";

const computeInputs = z.object({ identity: z.object({ userAssignedIdentities: z.array(z.string()).min(1) }) });
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
    readonly #computes = new Map<string, { readonly clientId: string }>();
    /** Jobs that run, by name. */
    readonly #running = new Map<string, Promise<void>>();
    readonly #stopping = new AbortController();

    constructor(
        private readonly workshop: Workshop,
        private readonly identity: IdentityPart,
        private readonly access: AccessControl,
        private readonly identities: IdentityService,
        private readonly storage: StorageService,
        private readonly assets: ModelAssets,
    ) {
        workshop.onStop(async () => {
            this.#stopping.abort();
            await Promise.all(this.#running.values());
        });
    }

    readonly types = {
        "azure-native:machinelearningservices:Compute": {
            identify: armResource("Microsoft.MachineLearningServices/workspaces/computes", "workspaceName", "computeName"),
            create: (registration: Registration, { id }: Identified) => {
                const [identityId] = computeInputs.parse(registration.inputs).identity.userAssignedIdentities;
                this.#computes.set(id, this.identities.byId(identityId ?? ""));
                return {};
            },
            remove: (_registration: Registration, { id }: Identified) => void this.#computes.delete(id),
        },
        "azure-native:machinelearningservices:BatchEndpoint": {
            identify: armResource("Microsoft.MachineLearningServices/workspaces/batchEndpoints", "workspaceName", "endpointName"),
            create: async (registration: Registration, { id, name }: Identified) => {
                const gate =
                    this.#gates.get(name) ??
                    (await startGate(this.workshop, {
                        name,
                        identity: this.identity,
                        access: this.access,
                        endpointId: id,
                        answer: (request) => Promise.resolve(this.#answer(id, name, request)),
                    }));
                this.#gates.set(name, gate);
                return { properties: { ...(registration.inputs.properties as object), scoringUri: `${gate.address}/jobs` } };
            },
            remove: async (_registration: Registration, { name }: Identified) => {
                await this.#gates.get(name)?.stop();
                this.#gates.delete(name);
                rmSync(this.#dir, { recursive: true, force: true });
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
                if (!this.#computes.has(inputs.properties.compute)) {
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
            return json(200, described(this.#load(decodeURIComponent(jobName))));
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
        this.#save(job);
        this.#start(job, deployment);
        return job;
    }

    #folderOf(uri: string): Job["input"] {
        const { account, container, path: folder } = this.storage.locate(uri);
        return { account: account.name, container, folder };
    }

    /** Azure ML's jobs go on when this machine's processes do not: what a stop interrupted is run again. */
    #resume(deployment: string, inputs: DeploymentInputs): void {
        for (const file of existsSync(this.#dir) ? readdirSync(this.#dir).filter((name) => name.endsWith(".json")) : []) {
            const job = this.#load(path.basename(file, ".json"));
            if (job.deployment === deployment && job.status === "Running" && !this.#running.has(job.name)) {
                this.#start(job, inputs);
            }
        }
    }

    #start(job: Job, inputs: DeploymentInputs): void {
        this.#running.set(
            job.name,
            this.#run(job, inputs).finally(() => this.#running.delete(job.name)),
        );
    }

    async #run(job: Job, { properties }: DeploymentInputs): Promise<void> {
        try {
            const compute = this.#computes.get(properties.compute);
            const output = this.assets.locate(job.outputUri);
            const outputAccount = this.storage.byName(output.datastore.accountName);
            const inputAccount = this.storage.byName(job.input.account);
            const credential = this.#credentialOf(compute?.clientId ?? "");
            const codeDir = await this.assets.codeDir(properties.codeConfiguration.codeId);
            await runBatchJob({
                dir: path.join(this.#dir, job.name),
                input: {
                    container: containerOf(inputAccount.blobEndpoint, job.input.container, credential),
                    prefix: `${job.input.folder}/`,
                },
                output: {
                    container: containerOf(outputAccount.blobEndpoint, output.datastore.containerName, credential),
                    prefix: output.path,
                },
                worker: {
                    python: await ensurePython(),
                    script: path.join(codeDir, properties.codeConfiguration.scoringScript),
                    modelDir: await this.assets.modelDir(properties.model.assetId),
                    logFile: this.#logFile(job),
                    signal: this.#stopping.signal,
                },
                workers: properties.resources.instanceCount * properties.maxConcurrencyPerInstance,
                miniBatchSize: properties.miniBatchSize,
                maxRetries: properties.retrySettings.maxRetries,
                errorThreshold: properties.errorThreshold,
            });
            job.status = "Completed";
        } catch (error) {
            if (this.#stopping.signal.aborted) {
                return;
            }
            job.status = "Failed";
            appendFileSync(this.#logFile(job), `${error instanceof Error ? error.message : String(error)}\n`);
        }
        this.#save(job);
        await tellOfEnd(job, this.storage.events);
    }

    /** A job reads and writes as the cluster's identity, so a role that the cluster lacks fails it here as it does in Azure. */
    #credentialOf(clientId: string): TokenCredential {
        return {
            getToken: async () => ({
                token: await this.identity.issue(clientId, "https://storage.azure.com"),
                expiresOnTimestamp: Date.now() + 1000 * this.identity.tokenLifetimeSeconds,
            }),
        };
    }

    get #dir(): string {
        return path.join(this.workshop.dir, "jobs");
    }

    #logFile(job: Job): string {
        return path.join(this.workshop.dir, "logs", `${job.name}.log`);
    }

    #file(name: string): string {
        return path.join(this.#dir, `${path.basename(name)}.json`);
    }

    #save(job: Job): void {
        mkdirSync(this.#dir, { recursive: true });
        writeFileSync(this.#file(job.name), JSON.stringify(job));
    }

    #load(name: string): Job {
        if (!existsSync(this.#file(name))) {
            throw new GateError(404, `there is no job ${name}`);
        }
        return JSON.parse(readFileSync(this.#file(name), "utf8")) as Job;
    }
}

function containerOf(blobEndpoint: string, container: string, credential: TokenCredential): ContainerClient {
    return new BlobServiceClient(blobEndpoint, credential).getContainerClient(container);
}

function json(status: number, body: object): GateAnswer {
    return { status, contentType: "application/json", body: JSON.stringify(body) };
}
