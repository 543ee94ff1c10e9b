import { HttpRequest, HttpResponse, InvocationContext } from "@azure/functions";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { PredictionCache } from "../../../functions/clients/cache";
import { createOnlineEndpoint, type OnlineEndpoint } from "../../../functions/clients/online-endpoint";
import { answerSchema, predictionSchema } from "../../../functions/predict/answer";
import { createPredictHandlers } from "../../../functions/predict/http";
import { problemSchema } from "../../../functions/predict/problem";
import promotions from "../../../ml/promotions.json";
import { type CacheParts, startCacheParts } from "./cache-parts";
import { ModelServer } from "./model-server";
import { hotSettings, playerFeatures, prediction } from "./predictions";

let parts: CacheParts;
let cache: PredictionCache;
let server: ModelServer;
let endpoint: OnlineEndpoint;
let handlers: ReturnType<typeof createPredictHandlers>;
let logs: unknown[][];

beforeAll(async () => {
    [parts, server] = await Promise.all([startCacheParts(), ModelServer.start()]);
    cache = parts.open();
    const token = { token: "a-token", expiresOnTimestamp: Date.now() + 3_600_000 };
    const settings = hotSettings();
    endpoint = createOnlineEndpoint(
        { ONLINE_SCORING_URI: server.url, ONLINE_DEPLOYMENT: "blue" },
        { getToken: () => Promise.resolve(token) },
    );
    handlers = createPredictHandlers({ settings: () => settings, cache: () => cache, onlineEndpoint: () => endpoint });
});
beforeEach(async () => {
    logs = [];
    server.reset();
    parts.proxy.open();
    await parts.admin.flushall();
    await vi.waitFor(() => cache.ping(), { timeout: 30_000 });
});
afterAll(async () => {
    await Promise.all([parts.stop(), server.stop()]);
});

/** A response as the caller gets it. */
interface Reply {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: string;
}

async function call(handler: keyof typeof handlers, init: { body?: string; playerId?: string } = {}): Promise<Reply> {
    const request = new HttpRequest({
        method: init.body === undefined ? "GET" : "POST",
        url: "http://localhost/api/predictions",
        headers: { "content-type": "application/json" },
        ...(init.body === undefined ? {} : { body: { string: init.body } }),
        params: init.playerId === undefined ? {} : { playerId: init.playerId },
    });
    const context = new InvocationContext({
        invocationId: "the-invocation",
        logHandler: (level, ...args) => void logs.push([level, ...args]),
    });
    const returned = await handlers[handler](request, context);
    const response = returned instanceof HttpResponse ? returned : new HttpResponse(returned);
    const bytes = await response.arrayBuffer();
    return { status: response.status, headers: Object.fromEntries(response.headers), body: new TextDecoder().decode(bytes) };
}

function problemOf(response: Reply) {
    expect(response.headers).toMatchObject({ "content-type": "application/problem+json" });
    return problemSchema.parse(JSON.parse(response.body));
}

const minuteAgo = () => prediction("2", { scoredAt: new Date(Date.now() - 60_500).toISOString() });

describe("POST /api/predictions", () => {
    test("answers with predictions and errors of the documented shape", async () => {
        const response = await call("postPredictions", {
            body: JSON.stringify({ players: [{ playerId: "1", features: playerFeatures() }, { playerId: "2" }] }),
        });
        expect(response).toMatchObject({ status: 200, headers: { "content-type": "application/json" } });
        const answer = answerSchema.parse(JSON.parse(response.body));
        expect(answer.predictions).toMatchObject([{ playerId: "1", source: "model" }]);
        expect(answer.errors).toMatchObject([{ playerId: "2", code: "not_found" }]);
    });

    test("answers 503 with the time to stay away when the model has no room for any of the players", async () => {
        const crowded = createPredictHandlers({
            settings: () => hotSettings({ MODEL_MAX_CALLS: 1, MODEL_BATCH_PLAYERS: 1, REQUEST_DEADLINE_MS: 500 }),
            cache: () => cache,
            onlineEndpoint: () => endpoint,
        });
        const intact = handlers;
        handlers = crowded;
        server.always = () => ({ fault: "hang" });
        const ask = (playerId: string) => call("postPredictions", { body: JSON.stringify({ players: [{ playerId, features: playerFeatures() }] }) });
        const busy = ["1", "2"].map(ask);
        await vi.waitFor(() => expect(server.calls).toHaveLength(1), { timeout: 30_000 });
        const response = await ask("3");
        handlers = intact;
        expect(problemOf(response)).toMatchObject({ status: 503, type: "urn:player-predictions:overloaded" });
        expect(response.headers).toMatchObject({ "retry-after": "1" });
        await Promise.all(busy);
    });

    test("answers a wrong request with a problem that names the field", async () => {
        const response = await call("postPredictions", { body: '{"players":[{"playerId":2}]}' });
        expect(problemOf(response)).toMatchObject({ status: 400, field: "players[0].playerId" });
        expect(logs).toEqual([]);
    });

    test("logs the faults that it got around", async () => {
        server.always = () => ({ status: 424, body: "division by zero" });
        await call("postPredictions", { body: JSON.stringify({ players: [{ playerId: "unlucky", features: playerFeatures() }] }) });
        expect(logs).toMatchObject([["warning", expect.stringContaining("ModelUnavailableError: the online endpoint answered 424")]]);
    });

    test("answers a fault of its own with 500 and nothing of its inside", async () => {
        const broken = createPredictHandlers({
            settings: () => {
                throw new Error("a secret");
            },
            cache: () => cache,
            onlineEndpoint: () => ({ predict: () => Promise.reject(new Error("unused")) }),
        });
        const intact = handlers;
        handlers = broken;
        const response = await call("postPredictions", { body: '{"players":[{"playerId":"2"}]}' });
        handlers = intact;
        const problem = problemOf(response);
        expect(problem.status).toBe(500);
        expect(problem.detail).toContain("the-invocation");
        expect(response.body).not.toContain("secret");
        expect(logs).toMatchObject([["error", { message: "a secret" }]]);
    });
});

describe("GET /api/predictions/{playerId}", () => {
    test("answers the stored prediction with its age", async () => {
        await cache.putMany([minuteAgo()]);
        const response = await call("getPrediction", { playerId: "2" });
        expect(response.headers).toEqual({ "content-type": "application/json", age: "60" });
        expect(predictionSchema.parse(JSON.parse(response.body))).toMatchObject({
            playerId: "2",
            source: "cache",
            segment: prediction("2").segment,
        });
        expect(server.calls).toEqual([]);
    });

    test("has the promotion of the segment's name", async () => {
        const [[name, promotion] = ["", ""]] = Object.entries(promotions);
        await cache.putMany([prediction("offered", { segment: { id: 5, name }, modelVersion: "promoted" })]);
        expect(JSON.parse((await call("getPrediction", { playerId: "offered" })).body)).toMatchObject({ segment: { name }, promotion });
    });

    test("answers from the process's memory as it does from Redis, for as long as that prediction counts", async () => {
        let now = Date.now();
        const reads: string[][] = [];
        const counting: Pick<PredictionCache, "getMany" | "putMany"> = {
            getMany: (playerIds) => {
                reads.push([...playerIds]);
                return cache.getMany(playerIds);
            },
            putMany: (predictions) => cache.putMany(predictions),
        };
        const settings = hotSettings({ HOT_PLAYERS: 10, HOT_PLAYERS_TTL_MS: 2_000 });
        handlers = createPredictHandlers({ settings: () => settings, cache: () => counting, onlineEndpoint: () => endpoint }, () => now);
        await cache.putMany([minuteAgo()], 3);
        const fromRedis = await call("getPrediction", { playerId: "2" });
        now += 1_000;
        const fromMemory = [await call("getPrediction", { playerId: "2" }), await call("getPrediction", { playerId: "2" })];
        expect(fromMemory).toEqual(Array(2).fill({ ...fromRedis, headers: { ...fromRedis.headers, age: "61" } }));
        now += 600;
        expect((await call("getPrediction", { playerId: "2" })).headers).toMatchObject({ age: "62" });
        expect(reads).toEqual([["2"]]);
        now += 401;
        await call("getPrediction", { playerId: "2" });
        expect(reads).toHaveLength(2);
        now += 1_500;
        expect(JSON.parse((await call("getPrediction", { playerId: "2" })).body)).toMatchObject({ playerId: "2", source: "stale" });
        expect(reads).toHaveLength(3);
    });

    test("answers 404 for a player of whom nothing is stored, and 400 for an id that none can have", async () => {
        expect(problemOf(await call("getPrediction", { playerId: "3" }))).toMatchObject({
            status: 404,
            detail: expect.stringContaining('"3"') as string,
        });
        expect(problemOf(await call("getPrediction", { playerId: "x".repeat(65) }))).toMatchObject({ status: 400, field: "playerId" });
    });

    test("answers 503 when stored predictions cannot be read", async () => {
        parts.proxy.close();
        const response = await call("getPrediction", { playerId: "2" });
        expect(problemOf(response).status).toBe(503);
        expect(response.headers).toMatchObject({ "retry-after": "1" });
    });
});

describe("GET /api/openapi.json", () => {
    test("answers the document", async () => {
        expect(JSON.parse((await call("getOpenApi")).body)).toMatchObject({ openapi: "3.1.0", paths: { "/predictions": {}, "/health": {} } });
    });
});
