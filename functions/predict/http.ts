import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { Prediction } from "../prediction";
import type { PlayerError } from "./answer";
import { answerText, predictionText } from "./answer-text";
import { bytesOf, BytesResponse } from "./bytes-response";
import { openApiDocument } from "./openapi";
import { createPredictParts, type PredictServices } from "./parts";
import { type Call, predict, predictFromMemory, type PredictParts } from "./predict";
import { HttpProblem, internalProblem } from "./problem";
import { playerIdSchema, readRequest } from "./request";
import { show } from "./show";

/** For how long a caller should leave alone a service that is overloaded, or whose cache is down. */
const retryAfterSeconds = 1;

type HandlerResponse = HttpResponseInit | BytesResponse;
type Handle = (request: HttpRequest, parts: PredictParts, call: Call) => Promise<HandlerResponse>;

/** The HTTP side of the predictions. */
export function createPredictHandlers(services: PredictServices, now: () => number = Date.now) {
    let built: PredictParts | undefined;

    /** A handler with the deadline of its request; errors become problem details. */
    function answering(handle: Handle): HttpHandler {
        return async (request, context) => {
            let parts: PredictParts | undefined;
            const startedAt = now();
            const response = await asProblem(context, async () => {
                parts = built ??= createPredictParts(services, now);
                return handle(request, parts, { deadline: startedAt + parts.deadlineMs, log: (fault) => context.warn(line(fault)) });
            });
            parts?.metrics.request(response.status ?? 200, now() - startedAt);
            return response;
        };
    }

    /** `POST /api/predictions` */
    const postPredictions = answering(async (request, parts, call) => {
        const answer = await predict(await readRequest(request, call.deadline - now()), parts, call);
        if (answer.predictions.length === 0 && everyoneIs("overloaded", answer.errors)) {
            throw new HttpProblem("overloaded", "the model has more to do than it can answer in time: try again later", { retryAfterSeconds });
        }
        return new BytesResponse(bytesOf(answerText(answer)), { "content-type": "application/json" });
    });

    /** `GET /api/predictions/{playerId}` */
    const getPrediction = answering(async (request, parts, call) => {
        const hot = predictFromMemory(request.params["playerId"] ?? "", parts);
        if (hot) {
            hot.body ??= bytesOf(predictionText({ prediction: hot.prediction, source: "cache" }));
            return predictionResponse(hot.body, hot.prediction);
        }
        const playerId = playerIdSchema.safeParse(request.params["playerId"]);
        if (!playerId.success) {
            const detail = `playerId is ${show(request.params["playerId"])}: ${playerId.error.issues[0]?.message ?? "invalid"}`;
            throw new HttpProblem("invalid-request", detail, { field: "playerId" });
        }
        const { predictions, errors } = await predict({ players: [{ playerId: playerId.data }], match: "player" }, parts, call);
        const [answered] = predictions;
        if (answered) {
            return predictionResponse(bytesOf(predictionText(answered)), answered.prediction);
        }
        throw everyoneIs("not_found", errors)
            ? new HttpProblem("not-found", `no prediction of player ${show(playerId.data)} is stored: post the player's features`)
            : new HttpProblem("unavailable", "stored predictions cannot be read now: try again", { retryAfterSeconds });
    });

    function predictionResponse(body: ArrayBuffer, { scoredAt }: Prediction): BytesResponse {
        const age = Math.max(0, Math.floor((now() - Date.parse(scoredAt)) / 1000));
        return new BytesResponse(body, { "content-type": "application/json", age: String(age) });
    }

    /** `GET /api/openapi.json` */
    const getOpenApi: HttpHandler = () => ({ jsonBody: openApiDocument });

    return { postPredictions, getPrediction, getOpenApi };
}

async function asProblem(context: InvocationContext, handle: () => Promise<HandlerResponse>): Promise<HandlerResponse> {
    try {
        return await handle();
    } catch (error) {
        if (error instanceof HttpProblem) {
            return error.toResponse();
        }
        context.error(error);
        return internalProblem(context.invocationId).toResponse();
    }
}

function everyoneIs(code: PlayerError["code"], errors: readonly PlayerError[]): boolean {
    return errors.length > 0 && errors.every((error) => error.code === code);
}

function line(fault: Error): string {
    return `${fault.name}: ${fault.message}`;
}
