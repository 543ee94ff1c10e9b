import { setTimeout as sleep } from "node:timers/promises";
import { createPredictionCache } from "./clients/cache";
import { createIdentityCredential } from "./clients/credentials";
import { createOnlineEndpoint } from "./clients/online-endpoint";
import { containers } from "./contracts";
import { once } from "./once";
import { readSettings } from "./settings";

/** How long the first answers of a process have it to themselves before the metrics are loaded. */
const telemetryDelayMs = 1_000;

const settings = once(() => readSettings());
const credential = once(() => createIdentityCredential(settings()));
const cache = once(() => createPredictionCache(settings(), credential()));
// These two are loaded at run time: their files are of their own in the package.
const telemetry = once(async () => (await import("./telemetry.js")).startTelemetry(settings(), credential()));
const coldPath = once(async () => (await import("./cold.js")).createColdPath({ settings, credential, cache }));

/** The outside systems that the handlers of one process share. */
export const services = {
    settings,
    telemetry,
    /** The meter, once the process has had time for its first answers. */
    meter: async () => {
        await sleep(telemetryDelayMs, undefined, { ref: false });
        return (await telemetry()).meter;
    },
    cache,
    onlineEndpoint: once(() => createOnlineEndpoint(settings(), credential())),
    challenger: {
        endpoint: once(() => createOnlineEndpoint({ ...settings(), ONLINE_DEPLOYMENT: settings().CHALLENGER_DEPLOYMENT }, credential())),
        comparisonFiles: async () => (await coldPath()).appendFiles(containers.comparisons),
    },
    requestFiles: async () => (await coldPath()).appendFiles(containers.requests),
    /** The cold path's work, with what only it talks to. */
    coldPath,
} as const;
