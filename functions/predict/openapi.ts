import * as z from "zod";
import { batchListSchema, batchQuerySchema } from "../batches/list";
import { batchReportSchema } from "../batches/loaded";
import { healthSchema } from "../health/health";
import { once } from "../once";
import { answerSchema, predictionSchema } from "./answer";
import { problemSchema } from "./problem";
import { limits, playerIdSchema, requestSchema } from "./request";

const schemas = z.registry<{ id: string }>();
schemas.add(requestSchema, { id: "PredictionRequest" });
schemas.add(answerSchema, { id: "PredictionAnswer" });
schemas.add(predictionSchema, { id: "Prediction" });
schemas.add(problemSchema, { id: "Problem" });
schemas.add(healthSchema, { id: "Health" });
schemas.add(batchReportSchema, { id: "Batch" });
schemas.add(batchListSchema, { id: "BatchList" });

const retryAfter = { headers: { "Retry-After": { description: "Seconds to stay away", schema: { type: "integer", minimum: 0 } } } };
const overloaded = { ...problem("No player could be answered: the model has more to do than it can answer in time"), ...retryAfter };

/**
 * The OpenAPI 3.1 document, made from the very schemas that check the input and type the output. OpenAPI 3.1 takes JSON Schema
 * 2020-12 as it is (https://spec.openapis.org/oas/v3.1.0#schema-object). Made when it is first asked for: a process that starts has
 * requests to answer.
 */
export const openApiDocument = once(() => ({
    openapi: "3.1.0",
    info: {
        title: "Player predictions",
        version: "1",
        description: "Who is about to leave, who is about to pay, and which group a player belongs to.",
    },
    servers: [{ url: "/api" }],
    security: [{ functionKey: [] }],
    paths: {
        "/predictions": {
            post: {
                operationId: "predict",
                summary: `Predictions of up to ${limits.players} players, stored or made now`,
                requestBody: { required: true, content: { "application/json": { schema: reference("PredictionRequest") } } },
                responses: {
                    200: json("Each player's prediction or error", "PredictionAnswer"),
                    400: problem("The body is not JSON or not a valid request"),
                    408: problem("The body did not come within the deadline"),
                    413: problem(`The body has more than ${limits.bodyBytes} bytes`),
                    415: problem("The content type is not application/json"),
                    503: overloaded,
                },
            },
        },
        "/predictions/{playerId}": {
            get: {
                operationId: "getPrediction",
                summary: "The stored prediction of one player",
                // The host leaves %2F as it is in a path.
                description: "A player whose id has a slash is asked for by POST.",
                parameters: [{ name: "playerId", in: "path", required: true, schema: embedded(playerIdSchema) }],
                responses: {
                    200: {
                        ...json("The stored prediction", "Prediction"),
                        headers: { Age: { description: "Seconds since it was made", schema: { type: "integer", minimum: 0 } } },
                    },
                    400: problem("The id is not valid"),
                    404: problem("Nothing is stored of this player"),
                    503: { ...problem("Stored predictions cannot be read now"), ...retryAfter },
                },
            },
        },
        "/batches": {
            get: {
                operationId: "getBatches",
                summary: "What became of the folders of player logs, newest first",
                parameters: Object.entries(batchQuerySchema.shape).map(([name, schema]) => ({
                    name,
                    in: "query",
                    required: false,
                    description: schema.description,
                    schema: embedded(schema),
                })),
                responses: {
                    200: json("The batches", "BatchList"),
                    400: problem("A parameter is not valid, or not known"),
                    503: { ...problem("The states cannot be read now"), ...retryAfter },
                },
            },
        },
        "/health": {
            get: {
                operationId: "getHealth",
                summary: "Whether the service and what it depends on are up",
                security: [],
                responses: { 200: json("All are up", "Health"), 503: json("One at least is down", "Health") },
            },
        },
        "/metrics": {
            get: {
                operationId: "getMetrics",
                summary: "Metrics of the instance that answers",
                responses: { 200: { description: "Prometheus' text format", content: { "text/plain": { schema: { type: "string" } } } } },
            },
        },
        "/openapi.json": {
            get: {
                operationId: "getOpenApi",
                summary: "This document",
                security: [],
                responses: { 200: { description: "OpenAPI 3.1", content: { "application/json": { schema: { type: "object" } } } } },
            },
        },
    },
    components: {
        securitySchemes: { functionKey: { type: "apiKey", in: "header", name: "x-functions-key" } },
        schemas: Object.fromEntries(
            Object.entries(z.toJSONSchema(schemas, { io: "input", uri: referenceTo }).schemas).map(([id, schema]) => [
                id,
                withoutIdentity(schema),
            ]),
        ),
    },
}));

function referenceTo(id: string): string {
    return `#/components/schemas/${id}`;
}

function reference(id: string): { $ref: string } {
    return { $ref: referenceTo(id) };
}

function json(description: string, id: string) {
    return { description, content: { "application/json": { schema: reference(id) } } };
}

function problem(description: string) {
    return { description, content: { "application/problem+json": { schema: reference("Problem") } } };
}

function embedded(schema: z.ZodType): object {
    return withoutIdentity(z.toJSONSchema(schema, { io: "input" }));
}

/** `$schema` and `$id` belong to a document of its own; inside this one they would change what references mean. */
function withoutIdentity(schema: object): object {
    return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema" && key !== "$id"));
}
