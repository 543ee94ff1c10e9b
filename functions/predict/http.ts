import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { PlayerError } from "./answer";
import { type Answered, answerText, predictionText } from "./answer-text";
import { bytesOf, BytesResponse } from "./bytes-response";
import type { HotPlayer } from "./hot-players";
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

    /** The answer from the process's memory: there is nothing to wait for in it, and nothing that fails. */
    function fromMemory(playerId: string): BytesResponse | undefined {
        const startedAt = now();
        const parts = built;
        const hot = parts && predictFromMemory(playerId, parts);
        if (hot === undefined) {
            return undefined;
        }
        if (hot.answer === undefined || hot.answer.until <= startedAt) {
            hot.answer = predictionAnswer({ prediction: hot.prediction, source: "cache" });
        }
        parts?.metrics.request(hot.answer.response.status, now() - startedAt);
        return hot.answer.response;
    }

    const getFromStored = answering(async (request, parts, call) => {
        const playerId = playerIdSchema.safeParse(request.params["playerId"]);
        if (!playerId.success) {
            const detail = `playerId is ${show(request.params["playerId"])}: ${playerId.error.issues[0]?.message ?? "invalid"}`;
            throw new HttpProblem("invalid-request", detail, { field: "playerId" });
        }
        const { predictions, errors } = await predict({ players: [{ playerId: playerId.data }], match: "player" }, parts, call);
        const [answered] = predictions;
        if (answered) {
            return predictionAnswer(answered).response;
        }
        throw everyoneIs("not_found", errors)
            ? new HttpProblem("not-found", `no prediction of player ${show(playerId.data)} is stored: post the player's features`)
            : new HttpProblem("unavailable", "stored predictions cannot be read now: try again", { retryAfterSeconds });
    });

    /** `GET /api/predictions/{playerId}` */
    const getPrediction: HttpHandler = (request, context) => fromMemory(request.params["playerId"] ?? "") ?? getFromStored(request, context);

    /** The answer with one prediction, and when its age is another. */
    function predictionAnswer(answered: Answered): NonNullable<HotPlayer["answer"]> {
        const scoredAt = Date.parse(answered.prediction.scoredAt);
        const age = Math.max(0, Math.floor((now() - scoredAt) / 1000));
        const headers = { "content-type": "application/json", age: String(age) };
        return { response: new BytesResponse(bytesOf(predictionText(answered)), headers), until: scoredAt + 1000 * (age + 1) };
    }

    /** `GET /api/openapi.json` */
    const getOpenApi: HttpHandler = () => ({ jsonBody: openApiDocument() });

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
