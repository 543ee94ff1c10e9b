import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import tls from "node:tls";
import { program } from "../infra/program";
import { LocalCloud } from "./cloud/cloud";
import { readStackConfig, runInProcess, type StackConfig } from "./cloud/in-process";
import { Secrets } from "./cloud/secrets";
import { startStudio, type Studio } from "./cloud/studio";
import type { RunningApp } from "./cloud/web";
import { findPulumi } from "./engine/cli";
import { EngineStack, type EngineStackOptions } from "./engine/engine-stack";
import { projectDir } from "./parts/paths";
import { ensurePython } from "./parts/python";
import type { RedisPart } from "./parts/redis";
import { ensureSystemPackages } from "./parts/system";
import type { Workshop } from "./parts/workshop";
import type { Progress } from "./progress";
import { runPython } from "./python-script";
import { Stores } from "./stores";

/** The project's policies, as an engine without the plugin for Node.js programs takes them. */
export const policyPack = path.join(projectDir, "infra", "policy", "pack.sh");

/** Name of the stack, as of its file `Pulumi.local.yaml`. */
const stackName = "local";

export interface LocalStackOptions {
    /** Folder of everything that the stack keeps: data, logs, keys. */
    readonly dir: string;
    /** Player file to train on where there is no model yet; generated players where it is not given. */
    readonly data: string | undefined;
    readonly progress: Progress;
    /**
     * Whether Pulumi's own engine runs the program, with a state; `expectNoChanges` fails it when anything is other than the state says.
     * @default the program runs in this process, and everything is made or brought to its inputs
     */
    readonly engine?: { readonly expectNoChanges: boolean };
}

/** What the program runs against: the studio, and a local cloud without resources yet. */
export interface Ground {
    readonly workshop: Workshop;
    readonly config: StackConfig;
    readonly databasePassword: string;
    readonly studio: Studio;
    readonly cloud: LocalCloud;
}

/** The whole stack, up on this machine. */
export interface LocalStack {
    readonly workshop: Workshop;
    readonly studio: Studio;
    readonly app: RunningApp;
    readonly stores: Stores;
    readonly outputs: Readonly<Record<string, unknown>>;
    readonly connections: Connections;
    /** The player file that was given or generated. */
    readonly data: string;
}

/** How to look into the servers; kept in `connections.json` for as long as the stack's folder, readable for its owner alone. */
export interface Connections {
    readonly url: string;
    readonly functionKey: string;
    readonly masterKey: string;
    readonly mysql: { readonly host: string; readonly port: number; readonly user: string; readonly password: string; readonly database: string };
    readonly redis: { readonly host: string; readonly port: number; readonly password: string };
    /** The certificate that all of them use. */
    readonly certificate: string;
}

/** Something is missing that the stack cannot come up without; the message says what to do. */
export class LocalStackError extends Error {
    override readonly name = "LocalStackError";
}

/** Brings the stack up: studio, model, then the program of `infra/` against the local cloud. The caller stops the workshop. */
export async function startLocalStack(workshop: Workshop, options: LocalStackOptions): Promise<LocalStack> {
    const { progress, engine } = options;
    if (engine !== undefined) {
        // Said at once, and not after the servers have started.
        await findPulumi();
    }
    const ground = await openGround(workshop, progress);
    const { config, studio, cloud } = ground;
    const data = await playerFile(options, workshop);
    await trainIfNeeded(config, data, progress, workshop);
    const outputs = engine === undefined ? await runHere(ground, progress) : await runByEngine(ground, engine, progress);
    const [app] = cloud.web.running;
    if (app === undefined) {
        throw new LocalStackError("the program deployed no function app");
    }
    progress.step(`handlers answer at ${app.url}`);
    const connections = writeConnections(workshop, app, studio, cloud.redis.only());
    const stores = await Stores.open(connections, cloud.storage.byName(String(outputs.lakeAccount)), workshop.certificate);
    workshop.onStop(() => stores.close());
    return { workshop, studio, app, stores, outputs, connections, data };
}

/** Starts what the program finds there: the studio's servers. */
export async function openGround(workshop: Workshop, progress: Progress): Promise<Ground> {
    // The clients in this process that look into the servers trust them as the handlers do by NODE_EXTRA_CA_CERTS.
    tls.setDefaultCACertificates([...tls.getCACertificates(), workshop.certificate.cert]);
    progress.step("checking for Redis, MariaDB and Python");
    await ensureSystemPackages(["redis-server", "mariadb-server", "python3-venv"]);
    await ensurePython();
    const config = readStackConfig(projectDir, stackName);
    progress.step("starting the studio: S3 (moto) and the game's database (MariaDB)");
    const databasePassword = new Secrets(workshop.dir).password("database");
    const studio = await startStudio(workshop, {
        bucket: setting(config, "sourceBucket"),
        region: setting(config, "aws:region"),
        databaseName: setting(config, "databaseName"),
        databaseUser: setting(config, "databaseUser"),
        databasePassword,
    });
    return { workshop, config, databasePassword, studio, cloud: await LocalCloud.start(workshop, studio) };
}

/** The stack under Pulumi's engine. */
export function openEngineStack(
    { workshop, config, databasePassword, cloud }: Ground,
    options: Partial<Pick<EngineStackOptions, "program" | "policyPack" | "onOutput">> = {},
): Promise<EngineStack> {
    return EngineStack.open({
        workshop,
        cloud,
        stack: stackName,
        config,
        secrets: { databasePassword },
        passphrase: new Secrets(workshop.dir).password("state"),
        program: async () => (await program({ managementEndpoint: cloud.managementEndpoint })) as Record<string, unknown>,
        ...options,
    });
}

async function runHere({ config, databasePassword, cloud }: Ground, progress: Progress): Promise<Record<string, unknown>> {
    progress.step("running the Pulumi program against the local cloud");
    let resources = 0;
    const outputs = await runInProcess(() => program({ managementEndpoint: cloud.managementEndpoint }), cloud, {
        stack: stackName,
        config,
        secrets: { databasePassword },
        onRegistered: () => (resources += 1),
    });
    progress.step(`${resources} resources are up`);
    return outputs;
}

async function runByEngine(ground: Ground, options: { readonly expectNoChanges: boolean }, progress: Progress): Promise<Record<string, unknown>> {
    progress.step("running the Pulumi program by the Pulumi CLI");
    const stack = await openEngineStack(ground, { policyPack, onOutput: (text) => process.stdout.write(text) });
    return (await stack.up(options)).outputs;
}

function setting({ project, values }: StackConfig, key: string): string {
    const value = values[key] ?? values[`${project}:${key}`];
    if (value === undefined || value === "") {
        throw new LocalStackError(`Pulumi.${stackName}.yaml: ${key} is missing; the local stack needs it`);
    }
    return value;
}

/** Where the addresses and passwords of the stack are for whoever looks into it. */
export function connectionsFile({ dir }: Pick<Workshop, "dir">): string {
    return path.join(dir, "connections.json");
}

function writeConnections(workshop: Workshop, app: RunningApp, studio: Studio, redis: RedisPart): Connections {
    const { host, port, user, password, database } = studio.database;
    const connections: Connections = {
        url: app.url,
        functionKey: app.functionKey,
        masterKey: app.masterKey,
        mysql: { host, port, user, password, database },
        redis: { host: redis.host, port: redis.port, password: redis.adminPassword },
        certificate: workshop.certificate.certFile,
    };
    writeFileSync(connectionsFile(workshop), JSON.stringify(connections, undefined, 2), { mode: 0o600 });
    return connections;
}

async function playerFile({ data, progress }: LocalStackOptions, workshop: Workshop): Promise<string> {
    if (data !== undefined) {
        if (!existsSync(data)) {
            throw new LocalStackError(`--data ${data}: there is no such file; give a CSV or JSON Lines file of players, or leave it out`);
        }
        return data;
    }
    const sample = path.join(workshop.dir, "sample.csv");
    if (!existsSync(sample)) {
        progress.step("generating 2,000 players");
        await runPython("ml/sample.py", ["--rows", "2000", "--seed", "1", "--out", sample], path.join(workshop.dir, "logs", "sample.log"));
    }
    return sample;
}

async function trainIfNeeded(config: StackConfig, data: string, progress: Progress, workshop: Workshop): Promise<void> {
    const modelDir = path.resolve(projectDir, setting(config, "modelFolder"));
    if (existsSync(path.join(modelDir, "model.json"))) {
        progress.step(`using the model in ${path.relative(projectDir, modelDir)}`);
        return;
    }
    progress.step(`training the models on ${data}`);
    await runPython("ml/train.py", ["--data", data, "--out", modelDir, "--no-report"], path.join(workshop.dir, "logs", "train.log"));
}

