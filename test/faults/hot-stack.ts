import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import { encodeValue } from "../../functions/clients/cache-value";
import { answerSchema, type PredictAnswer } from "../../functions/predict/answer";
import type { AppSettings } from "../../functions/settings";
import { startHost } from "../../local/host";
import type { Process } from "../../local/parts/workshop";
import { hotAppSettings } from "../functions/hot/app-settings";
import { type CacheParts, clientId, startCacheParts } from "../functions/hot/cache-parts";
import { modelVersion, playerFeatures, prediction } from "../functions/hot/predictions";
import { TcpProxy } from "../functions/hot/tcp-proxy";
import { ScriptedModel } from "./scripted-model";
import { unpackHandlers } from "./unpack";

export const deadlineMs = 1_000;
/** What an answer may take beyond the deadline. */
const graceMs = 50;
/** In MiB: a tenth of it is what a process has at the start, an instance has 2,048. */
const mostMemory = 768;
const functionKey = "the-function-key";

/** One answer of the endpoint. */
export interface Reply {
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
    /** When it was whole: milliseconds of this process's clock. */
    readonly endedAt: number;
}

/** The deployed package in the local host, with proxies before a real Redis and before a model whose answers a test chooses. */
export class HotStack {
    readonly #agent = new Agent({ keepAlive: true, maxSockets: 400 });

    private constructor(
        readonly parts: CacheParts,
        readonly model: ScriptedModel,
        readonly modelProxy: TcpProxy,
        private readonly url: string,
        private readonly process: Process,
    ) {}

    /** @param cacheIsThere false: Redis cannot be reached while the host starts */
    static async start(change: Partial<AppSettings> = {}, { cacheIsThere = true } = {}): Promise<HotStack> {
        const [parts, model] = await Promise.all([startCacheParts(), ScriptedModel.start()]);
        const modelProxy = await TcpProxy.start({ host: "127.0.0.1", port: model.port });
        const packageDir = path.join(parts.workshop.dir, "package");
        await unpackHandlers(packageDir);
        if (!cacheIsThere) {
            parts.proxy.close();
        }
        const connected = {
            clientId,
            principalId: parts.principalId,
            redisPort: parts.proxy.port,
            modelUrl: `http://127.0.0.1:${modelProxy.port}/score`,
            modelVersion,
        };
        const { url, process } = await startHost(parts.workshop, {
            packageDir,
            appSettings: hotAppSettings(connected, { REQUEST_DEADLINE_MS: String(deadlineMs), ...change }),
            identity: parts.identity,
            keys: { functionKey, masterKey: "the-master-key" },
            port: 0,
        });
        return new HotStack(parts, model, modelProxy, url, process);
    }

    async stop(): Promise<void> {
        this.#agent.destroy();
        await this.modelProxy.stop();
        await Promise.all([this.parts.stop(), this.model.stop()]);
    }

    /** Asks for predictions; the features are those of `playerFeatures` unless a player has none. */
    post(playerIds: readonly string[]): Promise<Reply> {
        const players = playerIds.map((playerId) => ({ playerId, features: playerFeatures() }));
        return this.#send("POST", "/api/predictions", JSON.stringify({ players }));
    }

    get(playerId: string): Promise<Reply> {
        return this.#send("GET", `/api/predictions/${encodeURIComponent(playerId)}`);
    }

    /** Asks as `post` does; fails when it takes longer than it may. */
    async postInTime(playerIds: () => readonly string[]): Promise<Reply> {
        // How late the machine is, with everything that runs on it, a witness knows: a request that needs neither Redis nor the
        // model, sent at the deadline through the same host. Only an answer that is late each time is late by the handlers' doing.
        const late: number[] = [];
        for (let attempt = 0; attempt < 3; attempt += 1) {
            const startedAt = performance.now();
            const witness = sleep(deadlineMs).then(() => this.#send("GET", "/api/openapi.json"));
            const reply = await this.post(playerIds());
            if (reply.endedAt - startedAt <= deadlineMs) {
                return reply;
            }
            const lateMs = reply.endedAt - (await witness).endedAt;
            if (lateMs <= graceMs) {
                return reply;
            }
            late.push(lateMs);
        }
        return expect.fail(`answers came ${late.map(Math.round).join(", ")} ms after the deadline; ${graceMs} ms are allowed`);
    }

    /**
     * Brings back what was taken away, and waits until the handlers have found that out: a player whom nothing is stored of is
     * answered by the model, and then from the cache.
     */
    async recover(): Promise<void> {
        this.parts.proxy.open();
        this.modelProxy.open();
        this.model.reset();
        await vi.waitFor(
            async () => {
                const playerId = newPlayer();
                for (const source of ["model", "cache"]) {
                    expect(answerOf(await this.post([playerId])).predictions).toMatchObject([{ playerId, source }]);
                }
            },
            { timeout: 40_000, interval: 100 },
        );
    }

    /** Stores a prediction past the proxy: of the deployed model, or of one before it. */
    async store(playerId: string, version = modelVersion): Promise<void> {
        const stored = prediction(playerId, { scoredAt: new Date(Date.now() - 60_000).toISOString(), modelVersion: version });
        await this.parts.admin.hset(`m:${version}`, { [stored.segment.id]: stored.segment.name });
        await this.parts.admin.set(`p:${playerId}`, encodeValue(stored, new Date(Date.now() + 3_600_000)));
    }

    /** Waits until the host's process holds about as many sockets as it did, and fails if it holds on to memory. */
    async expectNothingLeft(socketsAtRest: number): Promise<void> {
        await vi.waitFor(() => expect(this.sockets()).toBeLessThanOrEqual(socketsAtRest + 20), { timeout: 30_000, interval: 200 });
        expect(this.parts.proxy.clients).toBeLessThanOrEqual(2);
        expect(this.#memory()).toBeLessThan(mostMemory);
    }

    /** Open sockets of the host's process. */
    sockets(): number {
        const dir = `/proc/${this.process.pid}/fd`;
        const links = readdirSync(dir).map((name) => {
            try {
                return readlinkSync(path.join(dir, name));
            } catch {
                return "closed since";
            }
        });
        return links.filter((link) => link.startsWith("socket:")).length;
    }

    /** Memory of the host's process, in MiB. */
    #memory(): number {
        const status = readFileSync(`/proc/${this.process.pid}/status`, "utf8");
        return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    }

    #send(method: string, target: string, body?: string): Promise<Reply> {
        const headers = { "x-functions-key": functionKey, ...(body === undefined ? {} : { "content-type": "application/json" }) };
        return new Promise((resolve, reject) => {
            const request = httpRequest(`${this.url}${target}`, { method, headers, agent: this.#agent }, (response) => {
                text(response).then((received) => {
                    resolve({
                        status: response.statusCode ?? 0,
                        headers: response.headers,
                        body: received,
                        endedAt: performance.now(),
                    });
                }, reject);
            });
            request.once("error", reject);
            request.end(body);
        });
    }
}

let players = 0;

/** A player whom nothing is known of. */
export function newPlayer(): string {
    players += 1;
    return `new-${players}`;
}

/** The answer in a reply, its shape checked. */
export function answerOf(reply: Reply): PredictAnswer {
    expect(reply).toMatchObject({ status: 200, headers: { "content-type": expect.stringMatching(/^application\/json/) as string } });
    return answerSchema.parse(JSON.parse(reply.body));
}
