import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { healthSchema } from "../../../functions/health/health";
import { answerSchema, predictionSchema } from "../../../functions/predict/answer";
import { problemSchema } from "../../../functions/predict/problem";
import type { Process } from "../../../local/parts/workshop";
import { type CacheParts, clientId, startCacheParts } from "./cache-parts";
import { functionKey, startHotHost } from "./hot-host";
import { ModelServer } from "./model-server";
import { playerFeatures, prediction } from "./predictions";

let parts: CacheParts;
let model: ModelServer;
let api: string;
let host: Process;

beforeAll(async () => {
    [parts, model] = await Promise.all([startCacheParts(), ModelServer.start()]);
    // The cache is away while the process starts: that must not keep the handlers from starting.
    parts.proxy.close();
    ({ api, process: host } = await startHotHost(parts, model, {
        HOT_PLAYERS: "1000",
        HOT_PLAYERS_TTL_MS: "1",
        APPLICATIONINSIGHTS_CONNECTION_STRING: "InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=https://127.0.0.1:10",
    }));
});
beforeEach(async () => {
    model.reset();
    await parts.admin.flushall();
});
afterAll(async () => {
    await Promise.all([parts.stop(), model.stop()]);
});

function post(body: unknown): Promise<Response> {
    const headers = { "content-type": "application/json", "x-functions-key": functionKey };
    return fetch(`${api}/predictions`, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
}

function get(playerId: string): Promise<Response> {
    return fetch(`${api}/predictions/${encodeURIComponent(playerId)}`, { headers: { "x-functions-key": functionKey } });
}

describe("the deployed package", () => {
    test("answers from the model while the cache is away, and from the cache once it is there", async () => {
        const request = { players: [{ playerId: "플레이어 1", features: playerFeatures() }] };
        const sources = async () => answerSchema.parse(await (await post(request)).json()).predictions.map((one) => one.source);
        expect(await sources()).toEqual(["model"]);
        expect((await get("플레이어 1")).status).toBe(503);
        parts.proxy.open();
        await vi.waitFor(async () => expect(await sources()).toEqual(["cache"]), { timeout: 20_000, interval: 100 });
    });

    test("asks the model with a token of the identity that is good for Azure ML", async () => {
        await post({ players: [{ playerId: "1", features: playerFeatures() }], maxAgeSeconds: 0 });
        const token = model.calls[0]?.headers.authorization?.replace("Bearer ", "") ?? "";
        expect(await parts.identity.verify(token, "https://ml.azure.com")).toMatchObject({ clientId });
    });

    test("gives the stored prediction of one player with its age, and 404 for another", async () => {
        const scoredAt = new Date(Date.now() - 90_000).toISOString();
        await parts.open().putMany([prediction("a b+ü", { scoredAt })]);
        const response = await get("a b+ü");
        expect(Number(response.headers.get("age"))).toBeGreaterThanOrEqual(90);
        expect(predictionSchema.parse(await response.json())).toMatchObject({ playerId: "a b+ü", scoredAt, source: "cache" });
        const missing = await get("none");
        expect(missing.headers.get("content-type")).toBe("application/problem+json");
        expect(problemSchema.parse(await missing.json())).toMatchObject({ status: 404 });
    });

    test.each([
        ["bad JSON", "{", 400],
        ["a wrong field", '{"players":[{"playerId":5}]}', 400],
        ["too large a body", `{"players":[{"playerId":"${"x".repeat(1024 * 1024)}"}]}`, 413],
    ])("answers %s with problem details", async (_, body, status) => {
        const response = await post(body);
        expect(response.status).toBe(status);
        expect(response.headers.get("content-type")).toBe("application/problem+json");
        expect(problemSchema.parse(await response.json()).status).toBe(status);
    });

    test("says without a key what is up and what is down, but nothing more", async () => {
        const response = await fetch(`${api}/health`);
        expect(response.status).toBe(503);
        const health = healthSchema.parse(await response.json());
        expect(Object.fromEntries(health.checks.map((check) => [check.name, check.status]))).toEqual({
            cache: "up",
            onlineEndpoint: "up",
            lake: "down",
            database: "down",
            sourceBucket: "down",
        });
        expect(JSON.stringify(health)).not.toContain("127.0.0.1");
    });

    test("describes itself without a key, and predicts only with one", async () => {
        expect(await (await fetch(`${api}/openapi.json`)).json()).toMatchObject({ openapi: "3.1.0" });
        expect((await fetch(`${api}/predictions/1`)).status).toBe(401);
    });

    test("tells what it did to who has a key, and is quiet about a place for metrics that cannot be reached", async () => {
        await parts.open().putMany([prediction("counted")]);
        await get("counted");
        const headers = { "x-functions-key": functionKey };
        const metrics = async () => (await fetch(`${api}/metrics`, { headers })).text();
        await vi.waitFor(async () => expect(await metrics()).toMatch(/predictions_answers_total\{.*tier="redis".*\} [1-9]/), { timeout: 20_000 });
        await get("counted");
        expect(await metrics()).toMatch(/predictions_request_duration_bucket\{.*le="1".*\} [1-9]/);
        expect((await fetch(`${api}/metrics`)).status).toBe(401);
        expect(readFileSync(host.logFile, "utf8")).not.toMatch(/127\.0\.0\.1:10|opentelemetry/i);
    });

    test("answers the requests that it has taken before it ends", async () => {
        await parts.admin.flushall();
        let answer: (() => void) | undefined;
        model.hold = new Promise<void>((resolve) => (answer = resolve));
        const calls = model.calls.length;
        const request = post({ players: [{ playerId: "last", features: playerFeatures() }] });
        await vi.waitFor(() => expect(model.calls.length).toBe(calls + 1), { timeout: 30_000 });
        const stopping = host.stop();
        answer?.();
        expect(answerSchema.parse(await (await request).json()).predictions).toMatchObject([{ playerId: "last", source: "model" }]);
        await stopping;
        expect(await parts.admin.exists("p:last")).toBe(1);
        await expect(fetch(`${api}/health`)).rejects.toThrow();
    });
});
