import { unzipSync } from "fflate";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { healthSchema } from "../../../functions/health/health";
import { answerSchema, predictionSchema } from "../../../functions/predict/answer";
import { problemSchema } from "../../../functions/predict/problem";
import type { AppSettings } from "../../../functions/settings";
import { buildPackage } from "../../../infra/handlers/package";
import { startHost } from "../../../local/host";
import { type CacheParts, clientId, startCacheParts } from "./cache-parts";
import { ModelServer } from "./model-server";
import { modelVersion, playerFeatures, prediction } from "./predictions";

const functionKey = "the-function-key";
/** Nothing listens there: the parts that the hot path does not need are down. */
const nowhere = "https://127.0.0.1:9";

let parts: CacheParts;
let model: ModelServer;
let api: string;

beforeAll(async () => {
    [parts, model] = await Promise.all([startCacheParts(), ModelServer.start()]);
    const packageDir = join(parts.workshop.dir, "package");
    mkdirSync(packageDir);
    for (const [name, content] of Object.entries(unzipSync((await buildPackage()).zip))) {
        writeFileSync(join(packageDir, name), content);
    }
    // The cache is away while the process starts: that must not keep the handlers from starting.
    parts.proxy.close();
    const { url } = await startHost(parts.workshop, {
        packageDir,
        appSettings: appSettings(),
        identity: parts.identity,
        keys: { functionKey, masterKey: "the-master-key" },
    });
    api = `${url}/api`;
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
});

function appSettings(): AppSettings {
    return {
        AZURE_CLIENT_ID: clientId,
        Lake__blobServiceUri: `${nowhere}/lake`,
        Lake__queueServiceUri: `${nowhere}/lake`,
        Lake__credential: "managedidentity",
        Lake__clientId: clientId,
        INGEST_SCHEDULE: "0 0 0 1 1 *",
        AWS_REGION: "eu-central-1",
        AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/handlers",
        AWS_TOKEN_AUDIENCE: "api://player-predictions",
        STS_ENDPOINT: nowhere,
        S3_ENDPOINT: nowhere,
        SOURCE_BUCKET: "logs",
        SOURCE_PREFIX: "",
        BATCH_SCORING_URI: `${nowhere}/jobs`,
        BATCH_DEPLOYMENT: "blue",
        BATCH_OUTPUT_DATASTORE: "/subscriptions/s",
        ONLINE_SCORING_URI: model.url,
        ONLINE_DEPLOYMENT: "blue",
        MODEL_VERSION: modelVersion,
        MODEL_MAX_CALLS: "4",
        MODEL_BATCH_PLAYERS: "1000",
        HOT_PLAYERS: "1000",
        HOT_PLAYERS_TTL_MS: "1000",
        APPLICATIONINSIGHTS_CONNECTION_STRING: "InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=https://127.0.0.1:9",
        REDIS_HOST: "127.0.0.1",
        REDIS_PORT: String(parts.settings.REDIS_PORT),
        REDIS_USERNAME: parts.principalId,
        PREDICTION_FRESH_SECONDS: "3600",
        BATCH_FRESH_SECONDS: "93600",
        PREDICTION_KEEP_SECONDS: "86400",
        REQUEST_DEADLINE_MS: "1000",
        DATABASE_HOST: "127.0.0.1",
        DATABASE_PORT: "9",
        DATABASE_NAME: "studio",
        DATABASE_USER: "handlers",
        DATABASE_AUTH: "password",
        DATABASE_PASSWORD: "none",
    };
}
