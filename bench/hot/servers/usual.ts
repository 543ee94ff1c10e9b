import { Redis, type RedisOptions } from "ioredis";
import { listen } from "./listen";

interface Player {
    readonly playerId: string;
    readonly features: Record<string, unknown>;
}

const options: RedisOptions = {
    host: "127.0.0.1",
    port: Number(process.env["REDIS_PORT"]),
    password: process.env["REDIS_PASSWORD"],
    tls: {},
};
const redis = new Redis(options);
const pipelining = new Redis({ ...options, enableAutoPipelining: true });
const modelUrl = process.env["MODEL_URL"] as string;
const keepSeconds = 3_600;

/** One GET, whose text is the answer. */
async function get(playerId: string): Promise<string> {
    return (await pipelining.get(`j:${playerId}`)) ?? "{}";
}

/** The old way: one GET after another, and what was stored as text in the answer. */
async function sequential(players: readonly Player[]): Promise<string> {
    const rows: Record<string, string | null> = {};
    for (const { playerId } of players) {
        rows[playerId] = await redis.get(`j:${playerId}`);
    }
    return JSON.stringify(rows);
}

/** The usual way: a pipeline of GETs, and JSON out of JSON. */
async function pipeline(players: readonly Player[]): Promise<string> {
    const commands = redis.pipeline();
    for (const { playerId } of players) {
        commands.get(`j:${playerId}`);
    }
    const results = (await commands.exec()) ?? [];
    return JSON.stringify({ predictions: results.map(([, text]) => JSON.parse(text as string) as unknown), errors: [] });
}

/** The old way with players who are not stored: one call of the model for the request, and one SET a player. */
async function each(players: readonly Player[]): Promise<string> {
    const rows: Record<string, unknown> = {};
    const misses: Player[] = [];
    for (const player of players) {
        const row = await redis.get(`j:${player.playerId}`);
        if (row === null) {
            misses.push(player);
        } else {
            rows[player.playerId] = row;
        }
    }
    if (misses.length > 0) {
        const headers = { "content-type": "application/json" };
        const response = await fetch(modelUrl, { method: "POST", headers, body: JSON.stringify({ players: misses }) });
        if (!response.ok) {
            throw new Error(`the model answered ${response.status}`);
        }
        const { predictions } = (await response.json()) as { predictions: Player[] };
        for (const prediction of predictions) {
            rows[prediction.playerId] = prediction;
            await redis.set(`j:${prediction.playerId}`, JSON.stringify(prediction), "EX", keepSeconds);
        }
    }
    return JSON.stringify(rows);
}

const ways = { "/sequential": sequential, "/pipeline": pipeline, "/each": each } as const;

listen(async ({ url = "" }, body) => {
    if (url in ways) {
        const { players } = JSON.parse(body.toString()) as { players: Player[] };
        return ways[url as keyof typeof ways](players);
    }
    return get(url.slice(url.lastIndexOf("/") + 1));
});
