import type { Meter } from "@opentelemetry/api";
import type { PredictionCache } from "../clients/cache";
import type { OnlineEndpoint } from "../clients/online-endpoint";
import type { FingerprintedPrediction } from "../prediction";
import type { Settings } from "../settings";
import { type Comparison, sideOf } from "./comparison-log";
import { HotPlayers } from "./hot-players";
import { type AppendFiles, JsonLinesLog } from "./json-lines-log";
import { Metrics } from "./metrics";
import { ModelBatches, type ModelBatchesOptions } from "./model-batches";
import { type Challenger, versionChoice } from "./model-choice";
import { type ModelAsker, routed } from "./model-router";
import type { PredictParts } from "./predict";
import { type RecordedRequest, recording } from "./recorded-requests";
import { Shadow, type Shadowed } from "./shadow";
import { StoredPredictions } from "./stored-predictions";

export type PredictSettings = Pick<
    Settings,
    | "MODEL_VERSION"
    | "CHALLENGER_VERSION"
    | "CHALLENGER_MODE"
    | "CHALLENGER_PERCENT"
    | "RECORD_PERCENT"
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
    /** What a challenger needs, where the settings name one. @default there is none */
    readonly challenger?: {
        readonly endpoint: () => Pick<OnlineEndpoint, "predict">;
        /** Where the comparisons of the two models go. */
        readonly comparisonFiles: () => Promise<AppendFiles>;
    };
    /** Where calls of the model are recorded, if the settings say so. @default nowhere */
    readonly requestFiles?: () => Promise<AppendFiles>;
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

    const challenger = services.challenger && challengerOf(settings);
    const versionOf = versionChoice(settings.MODEL_VERSION, challenger);
    const model = createModel(services, settings, challenger, versionOf, { store, now, metrics });
    return { stored, hot, model, metrics, versionOf, deadlineMs, now, report: reportOnce() };
}

function challengerOf({ CHALLENGER_VERSION: version, CHALLENGER_MODE: mode, CHALLENGER_PERCENT: percent }: PredictSettings): Challenger | undefined {
    return version === "" || percent === 0 ? undefined : { version, mode, percent };
}

/** The model in service, with the challenger in its shadow or beside it. */
function createModel(
    services: PredictServices,
    settings: PredictSettings,
    challenger: Challenger | undefined,
    versionOf: PredictParts["versionOf"],
    shared: Pick<ModelBatchesOptions, "store" | "now" | "metrics">,
): ModelAsker {
    const { MODEL_MAX_CALLS: maxCalls, MODEL_BATCH_PLAYERS: batchPlayers, MODEL_VERSION: version } = settings;
    const limits = { ...shared, maxCalls, batchPlayers };
    const recorded = recorder(services, settings, shared.now);
    const live = { ...limits, model: recorded(services.onlineEndpoint()), version };
    if (challenger === undefined || services.challenger === undefined) {
        return new ModelBatches(live);
    }
    const { percent, mode } = challenger;
    const { now, metrics } = shared;
    const log = new JsonLinesLog<Comparison>(services.challenger.comparisonFiles, now, (error) => console.warn("a comparison of models was not written:", error));
    const model = services.challenger.endpoint();
    if (mode === "shadow") {
        const shadow = new Shadow({ model, percent, batchPlayers, now, log, players: metrics.shadowPlayers, labels: metrics.shadowLabels });
        return new ModelBatches({ ...live, answered: (predicted) => shadow.offer(predicted) });
    }
    const logged = (side: "live" | "challenger") => (predicted: readonly Shadowed[]) => {
        for (const { prediction, ms } of predicted) {
            log.add({ at: prediction.scoredAt, playerId: prediction.playerId, [side]: sideOf(prediction, ms) });
        }
    };
    return routed(
        new ModelBatches({ ...live, answered: logged("live") }),
        new ModelBatches({ ...limits, model: recorded(model), version: challenger.version, answered: logged("challenger") }),
        (playerId) => versionOf(playerId) === challenger.version,
    );
}

/** Has a share of the calls of those who answer the players recorded; those of the shadow are calls of the model in service once more. */
function recorder({ requestFiles }: PredictServices, { RECORD_PERCENT: percent }: PredictSettings, now: () => number): (model: ModelBatchesOptions["model"]) => ModelBatchesOptions["model"] {
    if (requestFiles === undefined || percent === 0) {
        return (model) => model;
    }
    const log = new JsonLinesLog<RecordedRequest>(requestFiles, now, (error) => console.warn("requests were not recorded:", error));
    return (model) => recording(model, { log, percent, now });
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
