import pLimit from "p-limit";
import { z } from "zod";
import type { IdentityPart } from "../../parts/identity";
import { startInferenceServer } from "../../parts/inference";
import type { Workshop } from "../../parts/workshop";
import type { AccessControl } from "../access";
import { armResource, LocalCloudError, type CloudService, type Identified, type Registration } from "../resource-type";
import type { ModelAssets } from "./assets";
import { codeConfiguration, durationMs } from "./inputs";
import { GateError, startGate, type Gate, type GateAnswer, type GateRequest } from "./gate";

const deploymentInputs = z.object({
    endpointName: z.string(),
    sku: z.object({ capacity: z.number().int().positive() }),
    properties: z.object({
        model: z.string(),
        codeConfiguration,
        requestSettings: z.object({ maxConcurrentRequestsPerInstance: z.number().int().positive(), requestTimeout: z.string() }),
    }),
});

interface OnlineDeployment {
    readonly url: string;
    readonly stop: () => Promise<void>;
    /** Requests that the instances work on at a time; twice as many may be there before 429. */
    readonly concurrency: number;
    readonly timeoutMs: number;
    readonly run: ReturnType<typeof pLimit>;
}

/**
 * Managed online endpoints: the server that Azure ML itself runs a scoring script with, behind Azure ML's limits.
 * @see https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints#http-status-codes
 */
export class OnlineEndpoints implements CloudService {
    readonly #deployments = new Map<string, OnlineDeployment>();
    readonly #gates = new Map<string, Gate>();

    constructor(
        private readonly workshop: Workshop,
        private readonly identity: IdentityPart,
        private readonly access: AccessControl,
        private readonly assets: ModelAssets,
    ) {}

    readonly types = {
        "azure-native:machinelearningservices:OnlineEndpoint": {
            identify: armResource("Microsoft.MachineLearningServices/workspaces/onlineEndpoints", "workspaceName", "endpointName"),
            create: async (registration: Registration, { id, name }: Identified) => {
                const gate = this.#gates.get(name) ?? (await this.#startGate(id, name));
                this.#gates.set(name, gate);
                return { properties: { ...(registration.inputs.properties as object), scoringUri: `${gate.address}/score` } };
            },
            remove: async (_registration: Registration, { name }: Identified) => {
                await this.#gates.get(name)?.stop();
                this.#gates.delete(name);
            },
        },
        "azure-native:machinelearningservices:OnlineDeployment": {
            identify: armResource(
                "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments",
                "workspaceName",
                "endpointName",
                "deploymentName",
            ),
            create: async (registration: Registration, { name }: Identified) => {
                await this.#deploy(registration, name);
                return {};
            },
            restore: async (registration: Registration, { name }: Identified) => {
                if (!this.#deployments.has(deploymentKey(registration, name))) {
                    await this.#deploy(registration, name);
                }
                return {};
            },
            remove: async (registration: Registration, { name }: Identified) => {
                await this.#deployments.get(deploymentKey(registration, name))?.stop();
            },
        },
    };

    async #deploy(registration: Registration, name: string): Promise<void> {
        const { endpointName, sku, properties } = deploymentInputs.parse(registration.inputs);
        if (!this.#gates.has(endpointName)) {
            throw new LocalCloudError(`deployment "${registration.name}": there is no online endpoint ${endpointName}`);
        }
        const key = `${endpointName}/${name}`;
        // An update goes on under the same name: Azure ML rolls instances over, here is one.
        await this.#deployments.get(key)?.stop();
        const server = await startInferenceServer(this.workshop, {
            name: `online-${name}`,
            entryScript: properties.codeConfiguration.scoringScript,
            codeDir: await this.assets.codeDir(properties.codeConfiguration.codeId),
            modelDir: await this.assets.modelDir(properties.model),
        });
        const concurrency = properties.requestSettings.maxConcurrentRequestsPerInstance * sku.capacity;
        this.#deployments.set(key, {
            url: server.url,
            stop: () => server.process.stop(),
            concurrency,
            timeoutMs: durationMs(properties.requestSettings.requestTimeout),
            run: pLimit(concurrency),
        });
        void server.process.exited.then(() => this.#deployments.delete(key));
    }

    #startGate(endpointId: string, endpointName: string): Promise<Gate> {
        return startGate(this.workshop, {
            name: endpointName,
            identity: this.identity,
            access: this.access,
            needs: () => ({ permission: "models/score", scope: endpointId }),
            answer: (request) => this.#score(endpointName, request),
        });
    }

    async #score(endpointName: string, request: GateRequest): Promise<GateAnswer> {
        if (request.path !== "/score") {
            throw new GateError(404, `the endpoint has no path ${request.path}`);
        }
        if (request.method !== "POST") {
            throw new GateError(405, "scoring requests are posted");
        }
        const deployment = this.#deployments.get(`${endpointName}/${request.deployment}`);
        if (deployment === undefined) {
            throw new GateError(404, `no deployment ${request.deployment ?? "by traffic: the endpoint sends none anywhere"}`);
        }
        const { run, concurrency, timeoutMs, url } = deployment;
        if (run.activeCount + run.pendingCount >= 2 * concurrency) {
            throw new GateError(429, `more than 2 x ${concurrency} requests at a time`);
        }
        return await withTimeout(
            run(() => forward(url, request.body)),
            timeoutMs,
        );
    }
}

function deploymentKey({ inputs }: Registration, name: string): string {
    return `${deploymentInputs.parse(inputs).endpointName}/${name}`;
}

/** The model works on after a time-out and after the caller has left, as Azure ML's does: nothing here aborts it. */
async function withTimeout(answer: Promise<GateAnswer>, timeoutMs: number): Promise<GateAnswer> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new GateError(408, `the request took longer than ${timeoutMs} ms`)), timeoutMs);
    });
    try {
        return await Promise.race([answer, timeout]);
    } finally {
        clearTimeout(timer);
        answer.catch(() => undefined);
    }
}

async function forward(url: string, body: Buffer): Promise<GateAnswer> {
    let answer: Response;
    try {
        answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: new Uint8Array(body) });
    } catch (error) {
        throw new GateError(502, `the model's server did not answer: ${error instanceof Error ? error.message : String(error)}`);
    }
    const bytes = new Uint8Array(await answer.arrayBuffer());
    // A scoring script that raises is 424 outside, with the script's own status inside.
    const status = answer.status >= 500 ? 424 : answer.status;
    return { status, contentType: answer.headers.get("content-type") ?? "application/json", body: bytes };
}
