import { createDatabase } from "../../functions/clients/database";
import { createIdentityCredential } from "../../functions/clients/credentials";
import { createLake } from "../../functions/clients/lake";
import { parseBlobCreated } from "../../functions/events/blob-created";
import { loadPredictions } from "../../functions/load/load";
import type { LoadOrder, LoadReply } from "./load-protocol";
import { serveOrders } from "./serve-orders";

/** Loads files as the handler does, in a process of its own, whose memory is then that of the load alone. */
const env = (name: string): string => process.env[name] as string;
const lake = createLake({ Lake__blobServiceUri: env("LAKE") }, createIdentityCredential({ AZURE_CLIENT_ID: env("CLIENT_ID") }));
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

serveOrders(async ({ event }: LoadOrder): Promise<LoadReply> => {
    const startedAt = performance.now();
    const { outcome, rows } = await loadPredictions(parseBlobCreated(event), {
        lake,
        database,
        cache: { putMany: () => Promise.resolve() },
        freshSeconds: 90_000,
        now: () => new Date(),
        log: { log: () => undefined, warn: () => undefined },
    });
    return { seconds: (performance.now() - startedAt) / 1_000, maxRss: process.resourceUsage().maxRSS * 1_024, outcome, rows };
});
