import type { HttpHandler } from "@azure/functions";
import { services } from "../services";
import { createPredictHandlers } from "./http";

export const { postPredictions, getPrediction, getOpenApi } = createPredictHandlers(services);

/** `GET /api/metrics`: those of the instance that answers, as text for Prometheus. */
export const getMetrics: HttpHandler = async () => ({
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    body: await (await services.telemetry()).prometheus(),
});
