import { createPredictionCache } from "../../functions/clients/cache";
import { createDatabase } from "../../functions/clients/database";
import { createIdentityCredential } from "../../functions/clients/credentials";
import { createLake } from "../../functions/clients/lake";
import { parseBlobCreated } from "../../functions/events/blob-created";
import { loadPredictions } from "../../functions/load/load";
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
const database = createDatabase(
    {
        AWS_REGION: "eu-west-1",
        DATABASE_HOST: env("DATABASE_HOST"),
        DATABASE_PORT: Number(env("DATABASE_PORT")),
        DATABASE_NAME: env("DATABASE_NAME"),
        DATABASE_USER: env("DATABASE_USER"),
        DATABASE_AUTH: "password",
        DATABASE_PASSWORD: env("DATABASE_PASSWORD"),
    },
    () => Promise.reject(new Error("password authentication needs no AWS credentials")),
);

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
