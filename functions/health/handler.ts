import type { HttpHandler } from "@azure/functions";
import { services } from "../services";
import { createHealth } from "./health";

const health = createHealth(
    {
        cache: () => services.cache().ping(),
        onlineEndpoint: (call) => services.onlineEndpoint().reachable(call),
        lake: () => services.lake().ping(),
        database: () => services.database().ping(),
        sourceBucket: () => services.sourceBucket().ping(),
    },
    { report: (name, error) => console.warn(`health: ${name} is down:`, error) },
);

/** `GET /api/health`: 200 when everything is up, else 503. */
export const getHealth: HttpHandler = async () => {
    const report = await health();
    return { status: report.status === "up" ? 200 : 503, jsonBody: report };
};
