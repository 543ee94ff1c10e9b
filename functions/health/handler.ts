import type { HttpHandler } from "@azure/functions";
import { services } from "../services";
import { createHealth } from "./health";

const health = createHealth(
    {
        cache: () => services.cache().ping(),
        onlineEndpoint: (call) => services.onlineEndpoint().reachable(call),
        lake: async () => (await services.coldPath()).ping.lake(),
        database: async () => (await services.coldPath()).ping.database(),
        sourceBucket: async () => (await services.coldPath()).ping.sourceBucket(),
    },
    { report: (name, error) => console.warn(`health: ${name} is down:`, error) },
);

/** `GET /api/health`: 200 when everything is up, else 503. */
export const getHealth: HttpHandler = async () => {
    // Loading it takes the process a moment, which must not count as the answer time of what is checked.
    await services.coldPath();
    const report = await health();
    return { status: report.status === "up" ? 200 : 503, jsonBody: report };
};
