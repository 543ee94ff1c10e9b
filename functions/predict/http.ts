import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { PredictionCache } from "../clients/cache";
import type { OnlineEndpoint } from "../clients/online-endpoint";
import type { Settings } from "../settings";
import { openApiDocument } from "./openapi";
import { predict, type PredictParts } from "./predict";
import { HttpProblem, internalProblem } from "./problem";
import { playerIdSchema, readRequest } from "./request";
import { show } from "./show";

/** What the handlers need of the process's services. */
export interface PredictServices {
    readonly settings: () => Pick<Settings, "MODEL_VERSION" | "REQUEST_DEADLINE_MS">;
    readonly cache: () => Pick<PredictionCache, "getMany" | "putMany">;
    readonly onlineEndpoint: () => Pick<OnlineEndpoint, "predict">;
}

/** The HTTP side of the predictions. */
export function createPredictHandlers(services: PredictServices, now: () => number = Date.now) {
    const parts = (context: InvocationContext): PredictParts => ({
        cache: services.cache(),
        model: services.onlineEndpoint(),
        modelVersion: services.settings().MODEL_VERSION,
        deadlineMs: services.settings().REQUEST_DEADLINE_MS,
        now,
        report: (fault) => context.warn(`${fault.name}: ${fault.message}`),
    });

    /** `POST /api/predictions` */
    const postPredictions = answering(async (request, context) => {
        return { jsonBody: await predict(await readRequest(request), parts(context)) };
    });

    /** `GET /api/predictions/{playerId}` */
    const getPrediction = answering(async (request, context) => {
        const playerId = playerIdSchema.safeParse(request.params["playerId"]);
        if (!playerId.success) {
            const detail = `playerId is ${show(request.params["playerId"])}: ${playerId.error.issues[0]?.message ?? "invalid"}`;
            throw new HttpProblem("invalid-request", detail, { field: "playerId" });
        }
        const { predictions, errors } = await predict({ players: [{ playerId: playerId.data }], match: "player" }, parts(context));
        const [prediction] = predictions;
        if (prediction) {
            const age = Math.max(0, Math.floor((now() - Date.parse(prediction.scoredAt)) / 1000));
            return { jsonBody: prediction, headers: { age: String(age) } };
        }
        throw errors[0]?.code === "not_found"
            ? new HttpProblem("not-found", `no prediction of player ${show(playerId.data)} is stored: post the player's features`)
            : new HttpProblem("unavailable", "stored predictions cannot be read now: try again", { retryAfterSeconds: 1 });
    });

    /** `GET /api/openapi.json` */
    const getOpenApi = answering(() => ({ jsonBody: openApiDocument }));

    return { postPredictions, getPrediction, getOpenApi };
}

/** A handler whose errors become problem details. */
function answering(
    handle: (request: HttpRequest, context: InvocationContext) => HttpResponseInit | Promise<HttpResponseInit>,
): HttpHandler {
    return async (request, context) => {
        try {
            return await handle(request, context);
        } catch (error) {
            if (error instanceof HttpProblem) {
                return error.toResponse();
            }
            context.error(error);
            return internalProblem(context.invocationId).toResponse();
        }
    };
}
