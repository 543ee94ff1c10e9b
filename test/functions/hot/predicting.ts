import { afterAll, beforeAll, beforeEach, vi } from "vitest";
import type { PredictionCache } from "../../../functions/clients/cache";
import { createOnlineEndpoint, type OnlineEndpoint } from "../../../functions/clients/online-endpoint";
import { answerSchema, type PredictAnswer } from "../../../functions/predict/answer";
import { answerText } from "../../../functions/predict/answer-text";
import { createPredictParts, type PredictServices, type PredictSettings } from "../../../functions/predict/parts";
import { predict, type PredictParts } from "../../../functions/predict/predict";
import type { PredictRequest } from "../../../functions/predict/request";
import { type CacheParts, startCacheParts } from "./cache-parts";
import { ModelServer } from "./model-server";
import { hotSettings, prediction } from "./predictions";

/** A request that matches by player where it does not say otherwise. */
export type Asked = Omit<PredictRequest, "match"> & Partial<PredictRequest>;

interface Change extends Partial<PredictSettings> {
    readonly cache?: PredictServices["cache"];
}

/** The cache and the model of a file's tests, and what asks them. Each test finds the cache empty and both at work. */
export interface Predicting {
    readonly parts: CacheParts;
    readonly cache: PredictionCache;
    readonly server: ModelServer;
    /** What the requests of this test told the log. */
    readonly faults: Error[];
    /** The predicting function's parts as a process has them, with other settings or another cache where a test says so. */
    createParts(change?: Change, now?: () => number): PredictParts;
    /** Asks the parts of one process. */
    ask(parts: PredictParts, request: Asked, deadline?: number): ReturnType<typeof predict>;
    /** Answers as a process of its own does, and as its JSON says it. */
    answer(request: Asked, change?: Change): Promise<PredictAnswer>;
}

/** Starts the servers for the tests of a file and ends them after. */
export function startPredicting(): Predicting {
    const open = {} as { parts: CacheParts; cache: PredictionCache; server: ModelServer; model: OnlineEndpoint };
    const faults: Error[] = [];
    beforeAll(async () => {
        const [parts, server] = await Promise.all([startCacheParts(), ModelServer.start()]);
        const token = { token: "a-token", expiresOnTimestamp: Date.now() + 3_600_000 };
        const model = createOnlineEndpoint({ ONLINE_SCORING_URI: server.url, ONLINE_DEPLOYMENT: "blue" }, { getToken: () => Promise.resolve(token) });
        Object.assign(open, { parts, server, model, cache: parts.open() });
    });
    beforeEach(async () => {
        open.server.reset();
        faults.length = 0;
        open.parts.proxy.open();
        await open.parts.admin.flushall();
        await vi.waitFor(() => open.cache.ping(), { timeout: 30_000 });
    });
    afterAll(async () => {
        await Promise.all([open.parts.stop(), open.server.stop()]);
    });

    const predicting: Predicting = {
        get parts() {
            return open.parts;
        },
        get cache() {
            return open.cache;
        },
        get server() {
            return open.server;
        },
        faults,
        createParts: ({ cache, ...settings } = {}, now) =>
            createPredictParts({ settings: () => hotSettings(settings), cache: cache ?? (() => open.cache), onlineEndpoint: () => open.model }, now),
        ask: (parts, request, deadline = Date.now() + parts.deadlineMs) =>
            predict({ match: "player", ...request }, parts, { deadline, log: (fault) => void faults.push(fault) }),
        answer: async (request, change) =>
            answerSchema.strict().parse(JSON.parse(answerText(await predicting.ask(predicting.createParts(change), request)))),
    };
    return predicting;
}

/** A prediction that was made some time ago. */
export const madeAgo = (playerId: string, secondsAgo = 60, change = {}) =>
    prediction(playerId, { scoredAt: new Date(Date.now() - secondsAgo * 1000).toISOString(), ...change });
