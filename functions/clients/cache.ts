import type { TokenCredential } from "@azure/identity";
import { Redis, type Result } from "ioredis";
import { setTimeout as sleep } from "node:timers/promises";
import type { FingerprintedPrediction } from "../prediction";
import type { Settings } from "../settings";
import { keepAuthenticated, type Reauthentication } from "./cache-auth";
import { decodeValue, encodeValue, scoredAtOffset, type StoredValue, valueShape } from "./cache-value";

/** Longest wait for the answer to one command, and for the first connection of the process. */
export const commandTimeoutMs = 500;
const connectTimeoutMs = 2_000;
/** A link that has gone silent is given up for a new one after this long: TCP alone would take a quarter of an hour. */
const silenceMs = 3_000;
/** Players a write: a fraction of a millisecond of the server, so that reads get in between the chunks of a bulk load. */
const chunkSize = 250;
const chunksInFlight = 2;
/** Most players of a read that requests share; one request alone may read more. */
const sharedReadSize = 1_000;

/**
 * Sets each value whose time of scoring is later than that of the stored one, so that a replayed or delayed file never makes a
 * player's prediction older. One script a chunk, because a read followed by a write would race with the other writers: `load`
 * of another file and the requests. The database is not sharded (`NoCluster`), so a script may touch any keys.
 */
const putNewest = `
local function scored(value) return (struct.unpack(">I6", value, ${scoredAtOffset + 1})) end
local put = 0
for i, key in ipairs(KEYS) do
    local value, stored = ARGV[i + 1], redis.call("GET", key)
    if not stored or string.byte(stored) ~= ${valueShape} or scored(stored) < scored(value) then
        redis.call("SET", key, value, "EX", ARGV[1])
        put = put + 1
    end
end
return put`;

declare module "ioredis" {
    interface RedisCommander<Context> {
        putNewest(keyCount: number, ...keysAndArguments: (string | Buffer | number)[]): Result<number, Context>;
    }
}

/** A prediction as the cache holds it. */
export interface StoredPrediction extends FingerprintedPrediction {
    /** Until then it may be served without asking the model. */
    readonly freshUntil: Date;
}

/** The predictions in Redis. Every method ends within 500 ms a command. */
export interface PredictionCache {
    /**
     * The stored predictions, one for each id and in their order; undefined where there is none.
     *
     * @throws CacheUnavailableError
     */
    getMany(playerIds: readonly string[]): Promise<(StoredPrediction | undefined)[]>;
    /**
     * Stores predictions; one that is not newer than the stored one (`scoredAt`) changes nothing. Any number: they are sent in chunks.
     *
     * @param freshSeconds for how long they count as fresh; by default as long as predictions that were made for a request
     * @throws CacheUnavailableError; a part may then be stored, and storing all of them again is harmless.
     * @throws UnstorablePredictionError
     */
    putMany(predictions: readonly FingerprintedPrediction[], freshSeconds?: number): Promise<void>;
    /** @throws CacheUnavailableError when the cache does not answer. */
    ping(): Promise<void>;
    /** Ends the connection. */
    close(): Promise<void>;
}

/** The cache did not do what was asked: it is down, too slow, or refuses. */
export class CacheUnavailableError extends Error {
    override readonly name = "CacheUnavailableError";
    readonly retryable = true;
}

export type CacheSettings = Pick<
    Settings,
    "REDIS_HOST" | "REDIS_PORT" | "REDIS_USERNAME" | "PREDICTION_FRESH_SECONDS" | "PREDICTION_KEEP_SECONDS"
>;

/**
 * The cache of the settings, over TLS, as the identity. Connects in the background: a cache that is down fails neither this call
 * nor the process, only the commands, and serves again as soon as it is back.
 */
export function createPredictionCache(settings: CacheSettings, credential: TokenCredential, now: () => number = Date.now): PredictionCache {
    return new RedisPredictionCache(settings, credential, now);
}

class RedisPredictionCache implements PredictionCache {
    private readonly redis: Redis;
    private readonly authentication: Reauthentication;
    /** Segment names by model version, as far as this process has read them. A version is named by its content, so they never change. */
    private readonly segmentNames = new Map<string, Readonly<Record<string, string>>>();
    private lastError: unknown;
    /** The read that this turn of the event loop gathers. */
    private gathering: { readonly keys: string[]; readonly values: Promise<(Buffer | null)[]> } | undefined;

    constructor(
        private readonly settings: CacheSettings,
        credential: TokenCredential,
        private readonly now: () => number,
    ) {
        this.redis = new Redis({
            host: settings.REDIS_HOST,
            port: settings.REDIS_PORT,
            username: settings.REDIS_USERNAME,
            tls: {},
            lazyConnect: true,
            connectTimeout: connectTimeoutMs,
            commandTimeout: commandTimeoutMs,
            socketTimeout: silenceMs,
            maxRetriesPerRequest: 1,
            enableOfflineQueue: false,
            disableClientInfo: true,
            // After a failover the old connection may lead to a replica or to a server that still reads its data: take a new one.
            // (2, which would send the command again, needs the offline queue; with 1 the caller sees the server's own error.)
            reconnectOnError: (error) => (/^(READONLY|LOADING)/.test(error.message) ? 1 : false),
            scripts: { putNewest: { lua: putNewest } },
        });
        const remember = (error: unknown): void => {
            this.lastError = withoutCommand(error);
        };
        this.redis.on("error", remember);
        this.authentication = keepAuthenticated(this.redis, settings.REDIS_USERNAME, credential, remember);
    }

    async getMany(playerIds: readonly string[]): Promise<(StoredPrediction | undefined)[]> {
        if (playerIds.length === 0) {
            return [];
        }
        const values = await this.read(playerIds);
        const decoded = values.map((value) => (value === null ? undefined : decodeValue(value)));
        await this.readSegmentNames(decoded);
        return decoded.map((value, i) => value && this.named(playerIds[i] ?? "", value));
    }

    async putMany(predictions: readonly FingerprintedPrediction[], freshSeconds = this.settings.PREDICTION_FRESH_SECONDS): Promise<void> {
        const chunks = Array.from({ length: Math.ceil(predictions.length / chunkSize) }, (_, i) =>
            predictions.slice(i * chunkSize, (i + 1) * chunkSize),
        );
        for (let i = 0; i < chunks.length; i += chunksInFlight) {
            await Promise.all(chunks.slice(i, i + chunksInFlight).map((chunk) => this.putChunk(chunk, freshSeconds)));
        }
    }

    async ping(): Promise<void> {
        await this.run("PING", () => this.redis.ping());
    }

    async close(): Promise<void> {
        this.authentication.stop();
        if (this.isReady()) {
            await this.redis.quit().catch(() => undefined);
        }
        this.redis.disconnect();
    }

    private async putChunk(predictions: readonly FingerprintedPrediction[], freshSeconds: number): Promise<void> {
        // Fresh from the write, not from the scoring: a batch's predictions reach the cache long after they were made, and are still
        // the latest that the models have to say until the next batch. How old they may be is for the caller to say (maxAgeSeconds).
        const freshUntil = new Date(this.now() + freshSeconds * 1000);
        const values = predictions.map((prediction) => encodeValue(prediction, freshUntil));
        const keys = predictions.map((prediction) => playerKey(prediction.playerId));
        await this.run("write", async () => {
            // Names first: commands of one connection run in order, so whoever reads the predictions finds the names.
            const names = segmentNamesOf(predictions).map(([version, fields]) => this.redis.hset(segmentKey(version), fields));
            await Promise.all([...names, this.redis.putNewest(keys.length, ...keys, this.settings.PREDICTION_KEEP_SECONDS, ...values)]);
        });
    }

    /** The values of players. Requests that read in the same turn of the event loop share one command: under load that is most of them. */
    private async read(playerIds: readonly string[]): Promise<(Buffer | null)[]> {
        let shared = this.gathering;
        if (shared === undefined || shared.keys.length + playerIds.length > sharedReadSize) {
            const keys: string[] = [];
            const values = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
                if (this.gathering?.keys === keys) {
                    this.gathering = undefined;
                }
                return this.run("MGET", () => this.redis.mgetBuffer(keys));
            });
            shared = this.gathering = { keys, values };
        }
        const from = shared.keys.length;
        shared.keys.push(...playerIds.map(playerKey));
        const values = await shared.values;
        return values.slice(from, from + playerIds.length);
    }

    /** Reads the names of those versions and segments among the values that this process has not read yet. */
    private async readSegmentNames(values: readonly (StoredValue | undefined)[]): Promise<void> {
        const unread = new Set<string>();
        for (const value of values) {
            if (value && this.segmentNames.get(value.modelVersion)?.[value.segmentId] === undefined) {
                unread.add(value.modelVersion);
            }
        }
        await Promise.all(
            [...unread].map(async (version) => {
                this.segmentNames.set(version, await this.run("HGETALL", () => this.redis.hgetall(segmentKey(version))));
            }),
        );
    }

    private named(playerId: string, value: StoredValue): StoredPrediction | undefined {
        const { churn, purchase, segmentId, modelVersion, scoredAt, inputsFingerprint, freshUntil } = value;
        const name = this.segmentNames.get(modelVersion)?.[segmentId];
        if (name === undefined) {
            return undefined;
        }
        // Field by field: a spread costs as much as all the rest.
        return { playerId, churn, purchase, segment: { id: segmentId, name }, modelVersion, scoredAt, inputsFingerprint, freshUntil };
    }

    private isReady(): boolean {
        return this.redis.status === "ready";
    }

    private async run<T>(what: string, command: () => Promise<T>): Promise<T> {
        const address = `${this.settings.REDIS_HOST}:${this.settings.REDIS_PORT}`;
        if (!this.isReady()) {
            // Only the process's first connection is worth waiting for: a cache that went away fails at once until it is back.
            await Promise.race([this.authentication.opening, sleep(commandTimeoutMs, undefined, { ref: false })]);
        }
        if (!this.isReady()) {
            throw new CacheUnavailableError(`the cache at ${address} is not connected (${messageOf(this.lastError)})`, {
                cause: this.lastError,
            });
        }
        try {
            return await command();
        } catch (error) {
            throw new CacheUnavailableError(`the cache at ${address} failed a ${what}: ${messageOf(error)}`, {
                cause: withoutCommand(error),
            });
        }
    }
}

function playerKey(playerId: string): string {
    return `p:${playerId}`;
}

/** A hash of segment id to name. No TTL: a model version has a handful of them, and every value of the version needs them. */
function segmentKey(modelVersion: string): string {
    return `m:${modelVersion}`;
}

/** The segment names among predictions, by model version. Written with each chunk, so that a cache that lost its data gets them back. */
function segmentNamesOf(predictions: readonly FingerprintedPrediction[]): [version: string, fields: Record<string, string>][] {
    const versions = new Map<string, Record<string, string>>();
    for (const { modelVersion, segment } of predictions) {
        const fields = versions.get(modelVersion) ?? {};
        fields[segment.id] = segment.name;
        versions.set(modelVersion, fields);
    }
    return [...versions];
}

/** ioredis hangs the command on its errors, and the arguments of AUTH and HELLO are tokens: those must not reach a log. */
function withoutCommand(error: unknown): unknown {
    if (error instanceof Error && "command" in error) {
        delete error.command;
    }
    return error;
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : error === undefined ? "no connection yet" : JSON.stringify(error);
}
