import type { Meter } from "@opentelemetry/api";
import type { PredictionCache } from "../clients/cache";
import type { OnlineEndpoint } from "../clients/online-endpoint";
import type { FingerprintedPrediction } from "../prediction";
import type { Settings } from "../settings";
import { HotPlayers } from "./hot-players";
import { Metrics } from "./metrics";
import { ModelBatches } from "./model-batches";
import type { PredictParts } from "./predict";
import { StoredPredictions } from "./stored-predictions";

export type PredictSettings = Pick<
    Settings,
    | "MODEL_VERSION"
    | "MODEL_MAX_CALLS"
    | "MODEL_BATCH_PLAYERS"
    | "PREDICTION_FRESH_SECONDS"
    | "HOT_PLAYERS"
    | "HOT_PLAYERS_TTL_MS"
    | "REQUEST_DEADLINE_MS"
>;

/** What the predictions need of the process's services. */
export interface PredictServices {
    readonly settings: () => PredictSettings;
    readonly cache: () => Pick<PredictionCache, "getMany" | "putMany">;
    readonly onlineEndpoint: () => Pick<OnlineEndpoint, "predict">;
    /** Who shows the metrics, when there is one. @default nobody */
    readonly meter?: () => Promise<Meter>;
}

/** Builds what requests are answered with. One a process: requests share the calls of the model, the hot players and the circuits. */
export function createPredictParts(services: PredictServices, now: () => number = Date.now): PredictParts {
    const settings = services.settings();
    const deadlineMs = settings.REQUEST_DEADLINE_MS;
    const metrics = new Metrics();
    const stored = new StoredPredictions(services.cache(), deadlineMs);
    const hot = new HotPlayers({ max: settings.HOT_PLAYERS, ttlMs: settings.HOT_PLAYERS_TTL_MS, now });
    void services.meter?.().then(
        (meter) => {
            metrics.attach(meter);
            meter
                .createObservableGauge("predictions.memory.players", { description: "Players in the memory of the process" })
                .addCallback((result) => result.observe(hot.size));
        },
        (error: unknown) => console.warn("metrics are not shown:", error),
    );

    async function store(predictions: readonly FingerprintedPrediction[]): Promise<void> {
        const freshUntil = new Date(now() + settings.PREDICTION_FRESH_SECONDS * 1000);
        for (const prediction of predictions) {
            hot.put({ ...prediction, freshUntil });
        }
        try {
            await stored.write(predictions);
        } catch (error) {
            metrics.cacheFaults.add("write");
            throw error;
        }
    }

    const model = new ModelBatches({
        model: services.onlineEndpoint(),
        maxCalls: settings.MODEL_MAX_CALLS,
        batchPlayers: settings.MODEL_BATCH_PLAYERS,
        store,
        now,
        metrics,
    });
    return { stored, hot, model, metrics, modelVersion: settings.MODEL_VERSION, deadlineMs, now, report: reportOnce() };
}

/** Errors that many requests share, such as that of a call, are told of once. */
function reportOnce(): PredictParts["report"] {
    const told = new WeakSet<Error>();
    return (fault, log) => {
        // A circuit that is open has its cause, which was told of when it opened.
        if (!told.has(fault) && !(fault.cause instanceof Error && told.has(fault.cause))) {
            told.add(fault);
            log(fault);
        }
    };
}
