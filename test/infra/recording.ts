import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { parse } from "yaml";
import type { HandlerPackage } from "../../infra/handlers/package";
import { program } from "../../infra/program";

const projectDir = path.resolve(__dirname, "..", "..");
const project = "player-predictions";

export type Inputs = Record<string, unknown>;

/** A resource as the provider would have got it, its secrets unwrapped. */
export interface Recorded {
    readonly type: string;
    readonly name: string;
    readonly inputs: Inputs;
    /** Paths of the inputs that were secret. */
    readonly secrets: readonly string[];
    /** Names of the resources that were there when this one was registered. */
    readonly after: ReadonlySet<string>;
    readonly urn: string;
    readonly protect: boolean;
    /** By input: URNs of the resources that its value comes from. */
    readonly sources: Readonly<Record<string, readonly string[]>>;
}

/** A call of a provider's function. */
export interface Called {
    readonly token: string;
    readonly inputs: Inputs;
    /** Names of the resources that were there at the call. */
    readonly after: ReadonlySet<string>;
}

export interface Recording {
    readonly resources: readonly Recorded[];
    readonly calls: readonly Called[];
    /** Resolved outputs; `secret` where the engine would hide the value. */
    readonly outputs: Readonly<Record<string, { readonly value: unknown; readonly secret: boolean }>>;
    /** The one resource of this type and name. */
    readonly get: (type: string, name: string) => Recorded;
    readonly all: (type: string) => readonly Recorded[];
}

export interface RecordingOptions {
    readonly stack?: string;
    /** Configuration over the stack's, by key without the project's name. */
    readonly config?: Readonly<Record<string, string>>;
    readonly preview?: boolean;
    /** Types whose creation takes a while, to see who waits for them. */
    readonly slow?: (type: string) => boolean;
    readonly now?: Date;
    /** @default one that stands for the bundled handlers */
    readonly package?: HandlerPackage;
}

/** Stands for the bundled handlers. */
export const fakePackage: HandlerPackage = { zip: Buffer.from("zip"), hash: "ab".repeat(32) };

export const modelVersion = "0123456789ab";

/** The verdict in `model.json` of a model that training's gate let pass. */
export const passedGate = { passed: true, accepted: false, reasons: [] };

/** A folder that looks like trained models. */
export function makeModelFolder(version = modelVersion): string {
    const dir = mkdtempSync(path.join(tmpdir(), "model-"));
    mkdirSync(path.join(dir, ".hidden"));
    writeFileSync(path.join(dir, ".hidden", "ignored"), "x");
    writeFileSync(path.join(dir, "model.json"), JSON.stringify({ version, gate: passedGate }));
    writeFileSync(path.join(dir, "churn.txt"), "tree");
    return dir;
}

/** The configuration of a stack as the engine hands it over: defaults of Pulumi.yaml, then the stack's file. */
export function stackConfig(stack: string): Record<string, string> {
    const read = (file: string) => parse(readFileSync(path.join(projectDir, file), "utf8")) as { config: Record<string, unknown> };
    const defaults = Object.entries(read("Pulumi.yaml").config).map(([key, declared]) => [key, (declared as { default?: unknown }).default] as const);
    const values = [...defaults, ...Object.entries(read(`Pulumi.${stack}.yaml`).config)].filter(([, value]) => value !== undefined);
    return Object.fromEntries(
        values.map(([key, value]) => [key.includes(":") ? key : `${project}:${key}`, text(value)]),
    );
}

/** A value as text, for names and comparisons. */
export function text(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}

let turn: Promise<unknown> = Promise.resolve();

/** Runs the program with nothing behind it, and records what it asks for. The SDK's runtime takes one program at a time. */
export function record(options: RecordingOptions = {}): Promise<Recording> {
    const recording = turn.then(() => run(options));
    turn = recording.catch(() => undefined);
    return recording;
}

async function run(options: RecordingOptions): Promise<Recording> {
    const { stack = "dev", config = {}, preview = false, slow = () => false, now = new Date("2026-06-01T00:00:00Z"), package: handlerPackage = fakePackage } = options;
    const resources: Asked[] = [];
    const calls: Called[] = [];
    const there = new Set<string>();
    await pulumi.runtime.setMocks(
        {
            newResource: async ({ type, name, inputs, custom }) => {
                const plain = unwrapped(inputs, "");
                if (custom === false) {
                    return { id: undefined, state: inputs as Inputs };
                }
                resources.push({ type, name, inputs: plain.value as Inputs, secrets: plain.secrets, after: new Set(there) });
                if (slow(type)) {
                    await new Promise((resolve) => setTimeout(resolve, 30));
                }
                there.add(name);
                // Nothing has answered in a preview: what the inputs do not say is unknown.
                return preview ? { id: undefined, state: plain.value as Inputs } : made(type, name, plain.value as Inputs);
            },
            call: ({ token, inputs }) => {
                calls.push({ token, inputs: inputs as Inputs, after: new Set(there) });
                return answer(token, inputs as Inputs);
            },
        },
        project,
        stack,
        preview,
    );
    const registrations = watchRegistrations();
    const own = Object.fromEntries(Object.entries(config).map(([key, value]) => [key.includes(":") ? key : `${project}:${key}`, value]));
    const modelFolder = { [`${project}:modelFolder`]: makeModelFolder() };
    pulumi.runtime.setAllConfig({ ...stackConfig(stack), ...modelFolder, ...own }, [`${project}:databasePassword`]);
    const outputs = (await program({ package: handlerPackage, now })) as Record<string, pulumi.Input<unknown>>;
    const resolved = preview ? [] : await Promise.all(Object.entries(outputs).map(async ([name, output]) => [name, await settled(output)] as const));
    // No output depends on some of the resources.
    await pulumi.runtime.disconnect();
    const recorded = resources.map((each): Recorded => ({ ...each, ...registrations.of(each) }));
    return {
        resources: recorded,
        calls,
        outputs: Object.fromEntries(resolved),
        get: (type, name) => {
            const [found, ...more] = recorded.filter((each) => each.type === type && each.name === name);
            if (found === undefined || more.length > 0) {
                throw new Error(`${1 + more.length} resources ${type} ${name}; there are ${recorded.map((each) => each.name).join(", ")}`);
            }
            return found;
        },
        all: (type) => recorded.filter((each) => each.type === type),
    };
}

type Registration = Pick<Recorded, "urn" | "protect" | "sources">;

/** What the program asks of a provider. */
type Asked = Omit<Recorded, keyof Registration>;

interface RegisterRequest {
    getType(): string;
    getName(): string;
    getProtect(): boolean;
    getPropertydependenciesMap(): { forEach(each: (dependencies: { getUrnsList(): string[] }, property: string) => void): void };
}

/** Watches what the engine is told of a resource and mocks are not: its options. */
function watchRegistrations(): { of(resource: Asked): Registration } {
    // In the SDK and not in its types.
    const monitor = (pulumi.runtime as unknown as { getMonitor(): MockMonitor }).getMonitor();
    const register = monitor.registerResource.bind(monitor);
    const seen = new Map<string, Registration>();
    monitor.registerResource = (request: RegisterRequest, callback) => {
        const sources: Record<string, readonly string[]> = {};
        request.getPropertydependenciesMap().forEach((dependencies, property) => (sources[property] = dependencies.getUrnsList()));
        return register(request, (error: unknown, response: { getUrn(): string } | undefined) => {
            if (response !== undefined) {
                seen.set(`${request.getType()} ${request.getName()}`, { urn: response.getUrn(), protect: request.getProtect(), sources });
            }
            callback(error, response);
        });
    };
    return {
        of: ({ type, name }) => {
            const registration = seen.get(`${type} ${name}`);
            if (registration === undefined) {
                throw new Error(`${type} ${name} was not registered`);
            }
            return registration;
        },
    };
}

async function settled(input: pulumi.Input<unknown>): Promise<{ value: unknown; secret: boolean }> {
    const output: pulumi.Output<unknown> = pulumi.output(input);
    const value = await new Promise((resolve) => {
        output.apply(resolve);
    });
    return { value, secret: await pulumi.isSecret(output) };
}

function unwrapped(value: unknown, at: string): { value: unknown; secrets: string[] } {
    const secrets: string[] = [];
    const walk = (each: unknown, here: string): unknown => {
        if (pulumi.runtime.isRpcSecret(each)) {
            secrets.push(here);
            return walk(pulumi.runtime.unwrapRpcSecret(each), here);
        }
        if (Array.isArray(each)) {
            return each.map((item, index) => walk(item, `${here}[${index}]`));
        }
        if (typeof each === "object" && each !== null && !pulumi.asset.Asset.isInstance(each)) {
            return Object.fromEntries(Object.entries(each).map(([key, item]) => [key, walk(item, here === "" ? key : `${here}.${key}`)]));
        }
        return each;
    };
    return { value: walk(value, at), secrets };
}

export const subscription = "/subscriptions/11111111-1111-4111-8111-111111111111";
export const tenantId = "22222222-2222-4222-8222-222222222222";

/** What the provider would return: an id that tells the resource, a name, and the outputs that the program reads. */
export function made(type: string, name: string, inputs: Inputs): { id: string; state: Inputs } {
    const short = type.split(":").slice(1).join(":");
    const own: Record<string, string> = {
        "resources:ResourceGroup": "resourceGroupName",
        "storage:BlobContainer": "containerName",
        "storage:Queue": "queueName",
        "storage:Blob": "blobName",
        "redisenterprise:Database": "databaseName",
        "network:Subnet": "subnetName",
        "privatedns:PrivateZone": "privateZoneName",
        "machinelearningservices:OnlineDeployment": "deploymentName",
        "machinelearningservices:BatchDeployment": "deploymentName",
    };
    const physical = text(inputs[own[short] ?? "name"] ?? name);
    const id = idOf(short, physical);
    const outputs: Record<string, Inputs> = {
        "managedidentity:UserAssignedIdentity": { principalId: `principal-of-${name}`, clientId: `client-of-${name}`, tenantId },
        "storage:StorageAccount": {
            primaryEndpoints: Object.fromEntries(["blob", "queue", "table"].map((service) => [service, `https://${physical}.${service}.test/`])),
        },
        "storage:Blob": { url: `https://${String(inputs.accountName)}.blob.test/${String(inputs.containerName)}/${physical}` },
        "redisenterprise:RedisEnterprise": { hostName: "redis.test" },
        "network:PublicIPAddress": { ipAddress: "203.0.113.10" },
        "eventgrid:SystemTopic": { identity: { type: "SystemAssigned", principalId: `principal-of-${name}` } },
        "applicationinsights:Component": { connectionString: "InstrumentationKey=insights" },
        "machinelearningservices:Workspace": { workspaceId: "workspace-guid" },
        "machinelearningservices:OnlineEndpoint": { properties: { scoringUri: "https://online.test/score" } },
        "machinelearningservices:BatchEndpoint": { properties: { scoringUri: "https://batch.test/jobs" } },
        "keyvault:Secret": { properties: { secretUriWithVersion: "https://vault.test/secrets/database-password/1" } },
        "web:WebApp": { defaultHostName: "app.test" },
        "index/application:Application": { clientId: "audience-client" },
        "iam/openIdConnectProvider:OpenIdConnectProvider": { arn: "arn:aws:iam::123456789012:oidc-provider/entra" },
        "iam/role:Role": { arn: `arn:aws:iam::123456789012:role/${name}` },
    };
    return { id, state: { ...inputs, id, name: physical, ...outputs[short] } };
}

function idOf(short: string, physical: string): string {
    const [module, resource] = short.split(":");
    if (short === "resources:ResourceGroup") {
        return `${subscription}/resourceGroups/${physical}`;
    }
    if (short === "machinelearningservices:Datastore") {
        return `${subscription}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws/datastores/${physical}`;
    }
    return `${subscription}/resourceGroups/rg/providers/${module}/${resource}/${physical}`;
}

/** What the providers' functions would answer. @throws Error for one that no test knows */
export function answer(token: string, inputs: Inputs): Inputs {
    const answers: Record<string, Inputs> = {
        "azure-native:authorization:getClientConfig": { tenantId, subscriptionId: subscription.split("/")[2] },
        "azure-native:resources:getResourceGroup": { name: inputs.resourceGroupName, location: "koreacentral" },
        "azure-native:storage:listStorageAccountServiceSAS": { serviceSasToken: "sv=1&sig=signature" },
        "azure-native:web:listWebAppHostKeys": { functionKeys: { default: "function-key" }, masterKey: "master-key" },
        "aws:index/getService:getService": { dnsName: `${String(inputs.serviceId)}.aws.test` },
        "aws:index/getCallerIdentity:getCallerIdentity": { accountId: "123456789012" },
        "aws:index/getPartition:getPartition": { partition: "aws" },
        "aws:s3/getBucket:getBucket": { arn: `arn:aws:s3:::${String(inputs.bucket)}` },
        "aws:rds/getInstance:getInstance": { address: "mysql.test", port: 3306, resourceId: "db-RESOURCE", vpcSecurityGroups: ["sg-0123456789abcdef0"] },
    };
    const known = answers[token];
    if (known === undefined) {
        throw new Error(`the program calls ${token}, which no test knows`);
    }
    return known;
}
