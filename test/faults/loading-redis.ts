import { Redis } from "ioredis";
import { setTimeout as sleep } from "node:timers/promises";
import path from "node:path";
import { listens } from "../../local/parts/processes";
import { startRedis } from "../../local/parts/redis";
import { findBinary } from "../../local/parts/system";
import type { CacheParts } from "../functions/hot/cache-parts";

/** A Redis that is reading its data, and answers LOADING to every command for data. */
export interface LoadingRedis {
    readonly host: string;
    readonly port: number;
    isLoading(): Promise<boolean>;
    /** Lets it read the rest at once; returns when it has. */
    finish(): Promise<void>;
    stop(): Promise<void>;
}

const keys = 40_000;
/** Longer than a test takes: 1 ms a key, in microseconds. */
const delayPerKey = 1_000;

/** Starts a Redis that knows the handlers' user, fills it, ends it, and starts it again so that it reads slowly. */
export async function startLoadingRedis({ workshop, principalId, tokens }: CacheParts): Promise<LoadingRedis> {
    const first = await startRedis(workshop, { name: "loading" });
    await first.allowUser(principalId);
    for (const token of tokens) {
        await first.setPassword(principalId, token);
    }
    const { host, port, adminPassword } = first;
    const admin = new Redis({ host, port, password: adminPassword, tls: {}, retryStrategy: () => 100, enableReadyCheck: false });
    admin.on("error", () => undefined);
    await admin.eval(`for i = 1, ${keys} do redis.call("SET", "k:" .. i, string.rep("x", 40)) end`, 0);
    // The whole of it as one file, which is read with a delay a key and looks after its clients in between.
    await admin.bgrewriteaof();
    while (/aof_rewrite_(in_progress|scheduled):1/.test(await admin.info("persistence"))) {
        await sleep(20);
    }
    await first.process.stop();
    const slow = await workshop.spawn({
        name: "redis-loading",
        command: findBinary("redis-server"),
        args: [
            path.join(workshop.dir, "redis-loading", "redis.conf"),
            ...["--key-load-delay", String(delayPerKey), "--loading-process-events-interval-bytes", "1024"],
        ],
        ready: (pid) => Promise.resolve(listens(pid, port)),
    });
    const isLoading = async (): Promise<boolean> => (await admin.info("persistence")).includes("\nloading:1");
    return {
        host,
        port,
        isLoading,
        async finish() {
            await admin.config("SET", "key-load-delay", "0");
            while (await isLoading()) {
                await sleep(20);
            }
        },
        async stop() {
            admin.disconnect();
            await slow.stop();
        },
    };
}
