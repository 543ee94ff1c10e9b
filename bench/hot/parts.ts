import { build, type BuildOptions } from "esbuild";
import { Redis } from "ioredis";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import tls from "node:tls";
import { encodeValue } from "../../functions/clients/cache-value";
import type { AppSettings } from "../../functions/settings";
import { fromSources } from "../../infra/handlers/package";
import { type HostOptions, startHost } from "../../local/host";
import type { InstanceMemory } from "../../local/host/instance-memory";
import { type IdentityPart, startIdentity } from "../../local/parts/identity";
import { projectDir } from "../../local/parts/paths";
import { type RedisPart, startRedis } from "../../local/parts/redis";
import { openWorkshop, type Process, type Workshop } from "../../local/parts/workshop";
import { ScriptedModel } from "../../test/faults/scripted-model";
import { unpackHandlers } from "../../test/faults/unpack";
import { hotAppSettings } from "../../test/functions/hot/app-settings";
import { modelVersion, prediction } from "../../test/functions/hot/predictions";
import { TcpProxy } from "../../test/functions/hot/tcp-proxy";
import { functionKey, storedKey, storedPlayers } from "./names";

export const clientId = "5a9de3f4-0f7c-4a57-8a3c-5d1c1c0b9a01";
export const principalId = "0c6d2f7e-41b5-4f0e-9f0e-2f8f4f6d7a02";

/** A process that answers HTTP. */
export interface Server {
    readonly url: string;
    readonly process: Process;
}

/** The servers that all measurements share, in a folder of their own. */
export class Parts {
    private constructor(
        readonly workshop: Workshop,
        readonly redis: RedisPart,
        readonly admin: Redis,
        readonly redisProxy: TcpProxy,
        readonly identity: IdentityPart,
        /** In this process, which has nothing else to do while a load runs. */
        readonly model: ScriptedModel,
        /** The deployed package, unpacked. */
        readonly packageDir: string,
        readonly packageBytes: { readonly zip: number; readonly bundle: number },
    ) {}

    static async start(): Promise<Parts> {
        const workshop = await openWorkshop(mkdtempSync(path.join(tmpdir(), "bench-hot-")));
        // Processes that are started from here trust it by NODE_EXTRA_CA_CERTS.
        tls.setDefaultCACertificates([...tls.getCACertificates(), workshop.certificate.cert]);
        const [redis, identity, model] = await Promise.all([
            startRedis(workshop),
            startIdentity(workshop),
            ScriptedModel.start(),
        ]);
        identity.addIdentity({ clientId, principalId });
        await redis.allowUser(principalId);
        identity.onIssue(async ({ audience, token }) => {
            if (audience === "https://redis.azure.com") {
                await redis.setPassword(principalId, token);
            }
        });
        const admin = new Redis({ host: redis.host, port: redis.port, password: redis.adminPassword, tls: {} });
        const packageDir = path.join(workshop.dir, "package");
        const { zip, files } = await unpackHandlers(packageDir);
        const packageBytes = { zip, bundle: files["index.js"] ?? 0 };
        const parts = new Parts(workshop, redis, admin, await TcpProxy.start(redis), identity, model, packageDir, packageBytes);
        await parts.#fill();
        return parts;
    }

    async stop(): Promise<void> {
        this.admin.disconnect();
        await this.redisProxy.stop();
        await this.model.stop();
        await this.workshop.stop();
        rmSync(this.workshop.dir, { recursive: true, force: true });
    }

    appSettings(change: Partial<AppSettings> = {}): AppSettings {
        const connected = { clientId, principalId, redisPort: this.redis.port, modelUrl: this.model.url, modelVersion };
        return hotAppSettings(connected, change);
    }

    hostOptions(packageDir: string, change: Partial<AppSettings> = {}): HostOptions {
        return {
            packageDir,
            appSettings: this.appSettings(change),
            identity: this.identity,
            keys: { functionKey, masterKey: "the-master-key" },
            port: 0,
        };
    }

    /** The deployed package in a local host of its own. */
    host(name: string, change: Partial<AppSettings> = {}, memory?: InstanceMemory): Promise<Server> {
        return startHost(this.workshop, { ...this.hostOptions(this.packageDir, change), name, memory });
    }

    /** The handler that does one GET in a local host of its own, with the address of Redis as its settings. */
    async barePackage(): Promise<Server> {
        const options = this.hostOptions(await this.fixturePackage("bare-package"));
        return startHost(this.workshop, { ...options, appSettings: this.#adminEnvironment(), name: "host-bare" });
    }

    /** A handler package of one file, `servers/<name>.ts`. @returns its folder */
    async fixturePackage(name: string): Promise<string> {
        const packageDir = path.join(this.workshop.dir, name);
        mkdirSync(packageDir);
        // With the same form of the library: a row is to say what the handler does, not how it is bundled.
        const bundling = { external: ["@azure/functions-core"], alias: fromSources, absWorkingDir: projectDir, preserveSymlinks: true };
        await this.#bundle(`${name}.ts`, path.join(packageDir, "index.js"), bundling);
        writeFileSync(path.join(packageDir, "package.json"), JSON.stringify({ name, main: "index.js" }));
        writeFileSync(path.join(packageDir, "host.json"), JSON.stringify({ version: "2.0" }));
        return packageDir;
    }

    /** `servers/<file>` as a process of its own. */
    async server(name: string, file: string, env: Readonly<Record<string, string>>): Promise<Server> {
        const script = path.join(this.workshop.dir, `${name}.js`);
        const urlFile = path.join(this.workshop.dir, `${name}.url`);
        await this.#bundle(file, script);
        rmSync(urlFile, { force: true });
        const process_ = await this.workshop.spawn({
            name,
            command: process.execPath,
            args: [script, urlFile],
            env: { ...env, NODE_EXTRA_CA_CERTS: this.workshop.certificate.certFile },
            inheritEnv: false,
            ready: () => Promise.resolve(existsSync(urlFile)),
        });
        return { url: readFileSync(urlFile, "utf8"), process: process_ };
    }

    /** The predicting function behind plain `node:http`. */
    predicting(name: string, change: Partial<AppSettings> = {}): Promise<Server> {
        const { endpoint, header } = this.identity;
        const env = { ...this.appSettings(change), IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header };
        return this.server(name, "predicting.ts", env);
    }

    /** What a service without any of this project's means would do, behind plain `node:http`. */
    usual(modelUrl = this.model.url): Promise<Server> {
        return this.server("usual", "usual.ts", { ...this.#adminEnvironment(), MODEL_URL: modelUrl });
    }

    #adminEnvironment(): Record<string, string> {
        return { REDIS_PORT: String(this.redis.port), REDIS_PASSWORD: this.redis.adminPassword };
    }

    async #bundle(file: string, outfile: string, more: BuildOptions = {}): Promise<void> {
        const entry = path.join(__dirname, "servers", file);
        await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", target: "node24", format: "cjs", logLevel: "silent", ...more });
    }

    /** Each stored player twice: as the handlers store it, and as the text that they answer. */
    async #fill(): Promise<void> {
        const pipeline = this.admin.pipeline();
        const scoredAt = new Date().toISOString();
        for (let i = 0; i < storedPlayers; i += 1) {
            const stored = prediction(storedKey(i), { scoredAt });
            pipeline.hset(`m:${stored.modelVersion}`, stored.segment.id, stored.segment.name);
            pipeline.set(`p:${stored.playerId}`, encodeValue(stored, new Date(Date.now() + 86_400_000)));
            const { playerId, churn, purchase, segment, modelVersion: version } = stored;
            const answered = { playerId, churn, purchase, segment, modelVersion: version, scoredAt, source: "cache" };
            pipeline.set(`j:${stored.playerId}`, JSON.stringify(answered));
        }
        await pipeline.exec();
    }
}
