import { userInfo } from "node:os";
import { Redis } from "ioredis";
import mysql, { type Connection, type RowDataPacket } from "mysql2/promise";
import { createPredictionCache, type PredictionCache } from "../../../functions/clients/cache";
import type { Database } from "../../../functions/clients/database";
import { type BlobCreated, parseBlobCreated } from "../../../functions/events/blob-created";
import { loadPredictions, type LoadParts, type LoadResult } from "../../../functions/load/load";
import type { FingerprintedPrediction } from "../../../functions/prediction";
import { type MariaDbPart, startMariaDb } from "../../../local/parts/mariadb";
import { type RedisPart, startRedis } from "../../../local/parts/redis";
import { databaseOf } from "./database-of";
import { eventOf } from "./events";
import { type ColdParts, startColdParts } from "./parts";
import { prediction } from "./predictions";

/** The file that tests write where they name no other. */
export const file = "players/dt=2026-01-31/0123456789abcdef/part-0000.csv";

/** When everything happens, by the handler's clock. */
export const loadedAt = new Date("2026-02-02T12:00:00.500Z");

/** A prediction of that time. */
export function scored(playerId: string, scoredAt: string, churn = 0.5): FingerprintedPrediction {
    return prediction(playerId, { scoredAt, churn: { label: churn >= 0.5, probability: churn } });
}

/** A lake, a database and a Redis, all real, with what the handler that loads needs of them. */
export class LoadStack {
    /** What the handler warned of since `clear`. */
    readonly warnings: string[] = [];
    /** What it logged since `clear`. */
    readonly logged: { readonly step?: string; readonly way?: string }[] = [];
    readonly database: Database;
    readonly cache: PredictionCache;

    private constructor(
        readonly parts: ColdParts,
        private readonly server: MariaDbPart,
        redis: RedisPart,
        /** As the administrators. */
        readonly root: Connection,
        readonly redisAdmin: Redis,
    ) {
        this.database = this.databaseOf({});
        this.cache = this.cacheAt(redis.port);
    }

    static async start(): Promise<LoadStack> {
        const parts = await startColdParts();
        try {
            const [server, redis] = await Promise.all([
                startMariaDb(parts.workshop, { database: "game", user: "predictions", password: "a password" }),
                startRedis(parts.workshop, {}),
            ]);
            await redis.allowUser(parts.principalId);
            parts.identity.onIssue(({ audience, principalId, token }) =>
                audience === "https://redis.azure.com" ? redis.setPassword(principalId, token) : Promise.resolve(),
            );
            const root = await mysql.createConnection({
                socketPath: server.socketPath,
                user: userInfo().username,
                database: server.database,
                timezone: "Z",
            });
            const redisAdmin = new Redis({ host: redis.host, port: redis.port, password: redis.adminPassword, tls: {} });
            return new LoadStack(parts, server, redis, root, redisAdmin);
        } catch (error) {
            await parts.stop();
            throw error;
        }
    }

    async stop(): Promise<void> {
        await this.root.end();
        this.redisAdmin.disconnect();
        await this.database.close();
        await this.cache.close();
        await this.parts.stop();
    }

    /** Empties everything. */
    async clear(): Promise<void> {
        this.warnings.length = 0;
        this.logged.length = 0;
        await Promise.all([
            this.parts.clear(),
            this.redisAdmin.flushall(),
            this.root.query("DROP TABLE IF EXISTS player_predictions, prediction_loads"),
        ]);
    }

    databaseOf(change: Parameters<typeof databaseOf>[1]): Database {
        return databaseOf(this.server, change);
    }

    cacheAt(port: number): PredictionCache {
        const settings = {
            REDIS_HOST: "127.0.0.1",
            REDIS_PORT: port,
            REDIS_USERNAME: this.parts.principalId,
            PREDICTION_FRESH_SECONDS: 3_600,
            PREDICTION_KEEP_SECONDS: 86_400,
        };
        return createPredictionCache(settings, this.parts.credential);
    }

    /** What the handler gets. */
    given(): LoadParts {
        return {
            lake: this.parts.lake,
            database: this.database,
            cache: this.cache,
            freshSeconds: 90_000,
            now: () => loadedAt,
            log: {
                log: (line) => void this.logged.push(JSON.parse(line) as LoadStack["logged"][number]),
                warn: (line) => void this.warnings.push(line),
            },
            retryDelayMs: 20,
        };
    }

    /** Writes the file and gives the event of it. */
    async written(content: string, path = file): Promise<BlobCreated> {
        const bytes = Buffer.from(content);
        await this.parts.container("predictions").getBlockBlobClient(path).uploadData(bytes);
        const blob = await this.parts.lake.find("predictions", path);
        return parseBlobCreated(eventOf("predictions", path, blob?.etag ?? ""));
    }

    load(event: BlobCreated, change: Partial<LoadParts> = {}): Promise<LoadResult> {
        return loadPredictions(event, { ...this.given(), ...change });
    }

    async rows<T>(sql: string): Promise<T[]> {
        const [found] = await this.root.query<RowDataPacket[]>(sql);
        return found.map((row) => ({ ...row })) as T[];
    }

    /** Each player's time of scoring and probability, as the database has them. */
    async stored(): Promise<Record<string, string>> {
        const found = await this.rows<{ id: string; at: Date; churn: string }>(
            "SELECT player_id id, scored_at at, churn_probability churn FROM player_predictions ORDER BY player_id",
        );
        return Object.fromEntries(found.map(({ id, at, churn }) => [id, `${at.toISOString()} ${churn}`]));
    }

    /** The same, as the cache has them. */
    async cached(playerIds: readonly string[]): Promise<Record<string, string>> {
        const found = await this.cache.getMany(playerIds);
        return Object.fromEntries(found.flatMap((each) => (each ? [[each.playerId, `${each.scoredAt} ${each.churn.probability.toFixed(6)}`]] : [])));
    }
}
