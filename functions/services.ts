import { setTimeout as sleep } from "node:timers/promises";
import { createAwsCredentials } from "./clients/aws-credentials";
import { createBatchEndpoint } from "./clients/batch-endpoint";
import { createPredictionCache } from "./clients/cache";
import { createIdentityCredential } from "./clients/credentials";
import { createDatabase } from "./clients/database";
import { createLake } from "./clients/lake";
import { createOnlineEndpoint } from "./clients/online-endpoint";
import { createSourceBucket } from "./clients/source-bucket";
import { readSettings } from "./settings";

/** How long the first answers of a process have it to themselves before the metrics are loaded. */
const telemetryDelayMs = 1_000;

/** Builds a value at its first use and keeps it: clients hold connections, and an instance of the app wants one of each. */
function once<T>(build: () => T): () => T {
    let built: { readonly value: T } | undefined;
    return () => (built ??= { value: build() }).value;
}

const settings = once(() => readSettings());
const credential = once(() => createIdentityCredential(settings()));
// Loaded at run time: its file is one of its own in the package.
const telemetry = once(async () => (await import("./telemetry.js")).startTelemetry(settings(), credential()));
const awsCredentials = once(() => createAwsCredentials(settings(), credential()));

/** The outside systems that the handlers of one process share. */
export const services = {
    settings,
    telemetry,
    /** The meter, once the process has had time for its first answers. */
    meter: async () => {
        await sleep(telemetryDelayMs, undefined, { ref: false });
        return (await telemetry()).meter;
    },
    cache: once(() => createPredictionCache(settings(), credential())),
    onlineEndpoint: once(() => createOnlineEndpoint(settings(), credential())),
    batchEndpoint: once(() => createBatchEndpoint(settings(), credential())),
    lake: once(() => createLake(settings(), credential())),
    sourceBucket: once(() => createSourceBucket(settings(), awsCredentials())),
    database: once(() => createDatabase(settings(), awsCredentials())),
} as const;
