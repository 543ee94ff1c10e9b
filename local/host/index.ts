import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import type { Process, Workshop } from "../parts/workshop";
import { heapArguments, type InstanceMemory } from "./instance-memory";
import type { Keys } from "./keys";
import type { WorkerOptions } from "./worker-options";

export interface HostOptions {
    /** The deployed package: package.json with `main`, host.json. */
    readonly packageDir: string;
    /** As the program computed them, references to Key Vault resolved. */
    readonly appSettings: Readonly<Record<string, string>>;
    /** The token endpoint of the platform, and the secret that it expects. */
    readonly identity: { readonly endpoint: string; readonly header: string };
    readonly keys: Keys;
    /**
     * Memory of the instance whose place the process takes.
     * @default as much as the machine has
     */
    readonly memory?: InstanceMemory | undefined;
    /**
     * Tells several hosts of one workshop apart.
     * @default "host"
     */
    readonly name?: string;
    /**
     * Port to listen on; another free one if it is taken.
     * @default 7071
     */
    readonly port?: number;
}

/** A host that is ready to be started, once. */
export interface HostCommand {
    readonly command: string;
    readonly args: readonly string[];
    /** The whole environment of the process. */
    readonly env: Readonly<Record<string, string>>;
    /** File that the process writes its address to once it answers. */
    readonly urlFile: string;
}

const defaultPort = 7071;
const startTimeoutMs = 30_000;

/**
 * Runs a deployed handler package: its HTTP, timer and storage queue triggers, in a process of its own.
 *
 * @throws with the tail of the process's log when the package does not load
 */
export async function startHost(w: Workshop, options: HostOptions): Promise<{ url: string; process: Process }> {
    const { command, args, env, urlFile } = await prepareHost(w, options);
    const child = await w.spawn({
        name: options.name ?? "host",
        command,
        args,
        env,
        inheritEnv: false,
        ready: () => Promise.resolve(existsSync(urlFile)),
        timeoutMs: startTimeoutMs,
    });
    const url = readFileSync(urlFile, "utf8");
    rmSync(urlFile);
    return { url, process: child };
}

/** Builds the host's program and writes down its options. */
export async function prepareHost(w: Workshop, options: HostOptions): Promise<HostCommand> {
    const dir = path.join(w.dir, options.name ?? "host");
    mkdirSync(dir, { recursive: true });
    const run = path.join(dir, randomUUID());
    const worker = path.join(dir, "worker.js");
    await buildWorker(`${run}.js`);
    renameSync(`${run}.js`, worker);
    const workerOptions: WorkerOptions = {
        packageDir: path.resolve(options.packageDir),
        keys: options.keys,
        port: options.port ?? defaultPort,
        urlFile: `${run}.url`,
    };
    writeFileSync(`${run}.json`, JSON.stringify(workerOptions), { mode: 0o600 });
    return {
        command: process.execPath,
        args: [...(options.memory ? heapArguments(options.memory) : []), worker, `${run}.json`],
        env: environment(w, workerOptions, options),
        urlFile: workerOptions.urlFile,
    };
}

/** One file without the loader of TypeScript: the process is what Azure's would be, plain Node.js, and starts at once. */
async function buildWorker(outfile: string): Promise<void> {
    await build({
        entryPoints: [path.join(__dirname, "worker.ts")],
        outfile,
        bundle: true,
        platform: "node",
        target: "node24",
        format: "cjs",
        logLevel: "silent",
    });
}

/**
 * The whole environment of the handlers: their settings, and what the platform adds
 * (https://learn.microsoft.com/azure/app-service/reference-app-settings).
 */
function environment(w: Workshop, { packageDir }: WorkerOptions, { appSettings, identity }: HostOptions): Record<string, string> {
    return {
        ...appSettings,
        AZURE_FUNCTIONS_ENVIRONMENT: "Production",
        AzureWebJobsScriptRoot: packageDir,
        FUNCTIONS_EXTENSION_VERSION: "~4",
        FUNCTIONS_WORKER_RUNTIME: "node",
        IDENTITY_ENDPOINT: identity.endpoint,
        IDENTITY_HEADER: identity.header,
        NODE_EXTRA_CA_CERTS: w.certificate.certFile,
        PATH: process.env["PATH"] ?? "",
        TZ: "UTC",
    };
}
