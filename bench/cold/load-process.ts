import { createPredictionCache } from "../../functions/clients/cache";
import { createIdentityCredential } from "../../functions/clients/credentials";
import { createLake } from "../../functions/clients/lake";
import { parseBlobCreated } from "../../functions/events/blob-created";
import { loadPredictions } from "../../functions/load/load";
import { databaseOf } from "../../test/functions/cold/database-of";
import type { LoadOrder, LoadReply } from "./load-protocol";
import { serveOrders } from "./serve-orders";

/** Loads files as the handler does, in a process of its own, whose memory is then that of the load alone. */
const env = (name: string): string => process.env[name] as string;
const credential = createIdentityCredential({ AZURE_CLIENT_ID: env("CLIENT_ID") });
const lake = createLake({ Lake__blobServiceUri: env("LAKE") }, credential);
const freshSeconds = 90_000;
const redis = createPredictionCache(
    {
        REDIS_HOST: env("REDIS_HOST"),
        REDIS_PORT: Number(env("REDIS_PORT")),
        REDIS_USERNAME: env("REDIS_USERNAME"),
        PREDICTION_FRESH_SECONDS: freshSeconds,
        PREDICTION_KEEP_SECONDS: freshSeconds,
    },
    credential,
);
const none = { putMany: () => Promise.resolve() };
const database = databaseOf({
    host: env("DATABASE_HOST"),
    port: Number(env("DATABASE_PORT")),
    database: env("DATABASE_NAME"),
    user: env("DATABASE_USER"),
    password: env("DATABASE_PASSWORD"),
});

serveOrders(async ({ event, cached }: LoadOrder): Promise<LoadReply> => {
    const startedAt = performance.now();
    const { outcome, rows } = await loadPredictions(parseBlobCreated(event), {
        lake,
        database,
        cache: cached ? redis : none,
        freshSeconds,
        now: () => new Date(),
        log: { log: () => undefined, warn: () => undefined },
    });
    return { seconds: (performance.now() - startedAt) / 1_000, maxRss: process.resourceUsage().maxRSS * 1_024, outcome, rows };
});
