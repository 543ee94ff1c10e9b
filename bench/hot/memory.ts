import { Redis } from "ioredis";
import { createPredictionCache } from "../../functions/clients/cache";
import { createIdentityCredential } from "../../functions/clients/credentials";
import { encodeValue } from "../../functions/clients/cache-value";
import { startRedis } from "../../local/parts/redis";
import { prediction } from "../../test/functions/hot/predictions";
import { type Row, short, spread } from "../lib";
import { clientId, type Parts, principalId } from "./parts";
import type { Scale } from "./scale";

/** Players a small hash, below the 128 entries up to which Redis keeps a hash as one list (`hash-max-listpack-entries`). */
const playersPerHash = 100;
const firstPlayer = 100_000_000;
const chunkSize = 5_000;

/** What a stored player takes of Redis with everything around it: by `used_memory`, empty and full. */
export async function memory(parts: Parts, { storedPlayers }: Scale): Promise<Row[]> {
    const redis = await startRedis(parts.workshop, { name: "memory" });
    await redis.allowUser(principalId);
    parts.identity.onIssue(({ token }) => redis.setPassword(principalId, token));
    const admin = new Redis({ host: redis.host, port: redis.port, password: redis.adminPassword, tls: {} });
    const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
    const bytesEach = async (fill: () => Promise<void>): Promise<number> => {
        await admin.flushall();
        const before = await used();
        await fill();
        return ((await used()) - before) / storedPlayers;
    };
    await admin.config("SET", "appendonly", "no");
    const scoredAt = new Date().toISOString();
    const chunks = function* (): Generator<ReturnType<typeof prediction>[]> {
        for (let first = 0; first < storedPlayers; first += chunkSize) {
            const length = Math.min(chunkSize, storedPlayers - first);
            yield Array.from({ length }, (_, i) => prediction(String(firstPlayer + first + i), { scoredAt }));
        }
    };

    process.env["IDENTITY_ENDPOINT"] = parts.identity.endpoint;
    process.env["IDENTITY_HEADER"] = parts.identity.header;
    const settings = {
        REDIS_HOST: redis.host,
        REDIS_PORT: redis.port,
        REDIS_USERNAME: principalId,
        PREDICTION_FRESH_SECONDS: 3_600,
        PREDICTION_KEEP_SECONDS: 86_400,
    };
    const cache = createPredictionCache(settings, createIdentityCredential({ AZURE_CLIENT_ID: clientId }));
    await cache.ping();
    const oneKey = await bytesEach(async () => {
        for (const chunk of chunks()) {
            await cache.putMany(chunk);
        }
    });
    await cache.close();

    const hashes = await bytesEach(async () => {
        const freshUntil = new Date(Date.now() + 3_600_000);
        for (const chunk of chunks()) {
            const pipeline = admin.pipeline();
            for (const player of chunk) {
                const id = Number(player.playerId);
                pipeline.hset(`h:${Math.floor(id / playersPerHash)}`, String(id % playersPerHash), encodeValue(player, freshUntil));
            }
            await pipeline.exec();
        }
    });
    admin.disconnect();
    await redis.process.stop();
    const players = storedPlayers.toLocaleString("en-US");
    return [
        {
            id: "memory-key",
            work: `Redis memory a player, ${players} players, as stored: one key each`,
            unit: "bytes",
            figure: spread([oneKey]),
            goal: { op: "<=", value: 200 },
            note: `25 GB hold ${short(25_000 / oneKey)} million`,
        },
        {
            id: "memory-hash",
            work: `the same in hashes of ${playersPerHash}, without a time to live for each`,
            unit: "bytes",
            figure: spread([hashes]),
            note: `25 GB hold ${short(25_000 / hashes)} million`,
        },
    ];
}
