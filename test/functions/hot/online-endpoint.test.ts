import type { TokenCredential } from "@azure/identity";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createOnlineEndpoint, type OnlineEndpoint, pauseBeforeRetry, retryAfter } from "../../../functions/clients/online-endpoint";
import { ModelAnswerError, ModelUnavailableError } from "../../../functions/clients/online-endpoint-protocol";
import { modelAnswer, ModelServer } from "./model-server";
import { modelVersion } from "./predictions";

const scopes: unknown[] = [];
const credential: TokenCredential = {
    getToken: (scope) => {
        scopes.push(scope);
        return Promise.resolve({ token: "a-token", expiresOnTimestamp: Date.now() + 3_600_000 });
    },
};
const players = [
    { playerId: "1", features: { age: 39, country: "한국" } },
    { playerId: "2", features: { age: 61, country: "Peru" } },
];
const answerOf = (change: (answer: { predictions: Record<string, unknown>[]; [field: string]: unknown }) => void): string => {
    const answer = JSON.parse(modelAnswer(players)) as { predictions: Record<string, unknown>[] };
    change(answer);
    return JSON.stringify(answer);
};

let server: ModelServer;
let endpoint: OnlineEndpoint;
const soon = (milliseconds = 1_000) => ({ deadline: Date.now() + milliseconds });

beforeAll(async () => {
    server = await ModelServer.start();
    endpoint = createOnlineEndpoint({ ONLINE_SCORING_URI: server.url, ONLINE_DEPLOYMENT: "blue" }, credential);
});
beforeEach(() => server.reset());
afterAll(() => server.stop());

describe("the online endpoint", () => {
    test("is asked with the identity's token for Azure ML and the name of the deployment", async () => {
        const startedAt = Date.now();
        const answer = await endpoint.predict(players, soon());
        expect(scopes.at(-1)).toBe("https://ml.azure.com/.default");
        expect(server.calls).toHaveLength(1);
        expect(server.calls[0]?.headers).toMatchObject({
            authorization: "Bearer a-token",
            "azureml-model-deployment": "blue",
            "content-type": "application/json",
        });
        expect(server.calls[0]?.players).toEqual(players);
        expect(answer.predictions).toMatchObject([
            { playerId: "1", modelVersion, churn: { label: false, probability: 0.39 }, segment: { id: 1, name: "newcomers" } },
            { playerId: "2", modelVersion, churn: { label: true, probability: 0.61 } },
        ]);
        const scoredAt = Date.parse(answer.predictions[0]?.scoredAt ?? "");
        expect(scoredAt).toBeGreaterThanOrEqual(startedAt);
        expect(scoredAt).toBeLessThanOrEqual(Date.now());
    });

    test("keeps its connections from call to call", async () => {
        for (let call = 0; call < 10; call++) {
            await endpoint.predict(players, soon());
        }
        // One, or two: a connection counts as free a moment after its answer was read.
        expect(new Set(server.calls.map((call) => call.port)).size).toBeLessThanOrEqual(2);
    });

    test("passes on which players the model refuses", async () => {
        const answer = await endpoint.predict([...players, { playerId: "bad-1", features: { age: 1 } }], soon());
        expect(answer.predictions).toHaveLength(2);
        expect(answer.errors).toMatchObject([{ playerId: "bad-1", message: "country is not on the map" }]);
    });

    test.each([
        ["is not JSON", "<html>"],
        ["is empty", ""],
        ["has NaN for a score", modelAnswer(players).replace("0.39", "NaN")],
        ["has another shape", '{"predictions":["0.39"]}'],
        ["has a probability above 1", answerOf((answer) => (answer.predictions[0]!["churn"] = { label: true, probability: 1.5 }))],
        ["has null for a score", answerOf((answer) => (answer.predictions[0]!["purchase"] = { label: true, probability: null }))],
        ["lacks a player", answerOf((answer) => answer.predictions.pop())],
        ["has a player twice", answerOf((answer) => answer.predictions.push(answer.predictions[0]!))],
        ["has a player too many", answerOf((answer) => answer.predictions.push({ ...answer.predictions[0], playerId: "3" }))],
        ["lacks the version", answerOf((answer) => delete answer["modelVersion"])],
    ])("refuses an answer that %s, and does not ask again", async (_, body) => {
        server.replies.push({ body });
        await expect(endpoint.predict(players, soon())).rejects.toThrow(ModelAnswerError);
        expect(server.calls).toHaveLength(1);
    });

    test.each([400, 401, 403, 404, 408, 424, 429, 500, 504, 302])("gives up at once when it answers %i", async (status) => {
        server.replies.push({ status, body: "reason", headers: { location: "http://127.0.0.1:1/" } });
        await expect(endpoint.predict(players, soon())).rejects.toMatchObject({
            name: "ModelUnavailableError",
            status,
            message: expect.stringContaining("reason") as string,
        });
        expect(server.calls).toHaveLength(1);
    });

    test.each([
        ["answers 502", { status: 502 }],
        ["answers 503", { status: 503 }],
        ["answers 429 and asks to wait shortly", { status: 429, headers: { "retry-after": "0.1" } }],
        ["resets the connection", { fault: "reset" }],
    ] as const)("is asked once more when it %s", async (_, reply) => {
        server.replies.push(reply);
        await expect(endpoint.predict(players, soon())).resolves.toHaveProperty("predictions.length", 2);
        expect(server.calls).toHaveLength(2);
        server.replies.push(reply, reply);
        await expect(endpoint.predict(players, soon())).rejects.toThrow(ModelUnavailableError);
        expect(server.calls).toHaveLength(4);
    });

    test("is not asked again where the deadline does not allow the wait", async () => {
        server.replies.push({ status: 429, headers: { "retry-after": "2" } });
        await expect(endpoint.predict(players, soon())).rejects.toMatchObject({ status: 429, retryAfterMs: 2_000 });
        expect(server.calls).toHaveLength(1);
    });

    test("is given up at the deadline when it hangs", async () => {
        server.replies.push({ fault: "hang" });
        await expect(endpoint.predict(players, soon(200))).rejects.toMatchObject({ name: "ModelUnavailableError", retryable: false });
    });

    test("is given up at the deadline when the token does not come", async () => {
        const waiting = createOnlineEndpoint(
            { ONLINE_SCORING_URI: server.url, ONLINE_DEPLOYMENT: "blue" },
            { getToken: () => new Promise(() => {}) },
        );
        await expect(waiting.predict(players, soon(200))).rejects.toThrow(ModelUnavailableError);
    });

    test("that nothing listens for is unavailable, with the reason", async () => {
        const stopped = await ModelServer.start();
        await stopped.stop();
        const nowhere = createOnlineEndpoint({ ONLINE_SCORING_URI: stopped.url, ONLINE_DEPLOYMENT: "blue" }, credential);
        await expect(nowhere.predict(players, soon())).rejects.toMatchObject({
            name: "ModelUnavailableError",
            retryable: true,
            message: expect.stringContaining("ECONNREFUSED") as string,
        });
    });

    test("is reachable when it takes a call about no player, or is only busy", async () => {
        await endpoint.reachable(soon());
        expect(server.calls[0]?.players).toEqual([]);
        server.replies.push({ status: 429 });
        await endpoint.reachable(soon());
        server.replies.push({ status: 401 });
        await expect(endpoint.reachable(soon())).rejects.toMatchObject({ status: 401 });
    });
});

describe("waiting before a retry", () => {
    const busy = (retryAfterMs?: number) => new ModelUnavailableError("busy", { status: 429, retryable: true, retryAfterMs });

    test("is for faults that pass, and only as the time allows", () => {
        expect(pauseBeforeRetry(busy(100), 1_000)).toBe(100);
        expect(pauseBeforeRetry(busy(100), 120)).toBeUndefined();
        expect(pauseBeforeRetry(busy(), 1_000)).toBeUndefined();
        expect(pauseBeforeRetry(new ModelUnavailableError("down", { status: 503, retryable: true }), 1_000)).toBeLessThanOrEqual(40);
        expect(pauseBeforeRetry(new ModelUnavailableError("slow", { status: 408, retryable: false }), 1_000)).toBeUndefined();
        expect(pauseBeforeRetry(new ModelAnswerError("wrong"), 1_000)).toBeUndefined();
    });

    test("follows Retry-After as seconds or as a date", () => {
        const now = Date.UTC(2026, 0, 1);
        expect(retryAfter(null, now)).toBeUndefined();
        expect(retryAfter("3", now)).toBe(3_000);
        expect(retryAfter("Thu, 01 Jan 2026 00:00:05 GMT", now)).toBe(5_000);
        expect(retryAfter("Wed, 31 Dec 2025 00:00:05 GMT", now)).toBe(0);
        expect(retryAfter("soon", now)).toBeUndefined();
    });
});
