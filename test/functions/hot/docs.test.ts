import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import openapiTs, { astToString } from "openapi-typescript";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectDir } from "../../../local/parts/paths";
import { ensureSystemPackages, findBinary } from "../../../local/parts/system";
import { type CacheParts, startCacheParts } from "./cache-parts";
import { functionKey, startHotHost } from "./hot-host";
import { ModelServer } from "./model-server";
import { playerFeatures } from "./predictions";

const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let parts: CacheParts;
let model: ModelServer;
let browser: Browser;
let api: string;

beforeAll(async () => {
    await ensureSystemPackages(["chromium"]);
    [parts, model] = await Promise.all([startCacheParts(), ModelServer.start()]);
    ({ api } = await startHotHost(parts, model));
    browser = await chromium.launch({ executablePath: findBinary("chromium"), headless: true, args: quiet });
}, 400_000);
afterAll(async () => {
    await browser.close();
    await Promise.all([parts.stop(), model.stop()]);
});

describe("the page at /api/docs", () => {
    test("lets a person call the endpoint with their key, and asks no other host for anything", async () => {
        const page = await browser.newPage();
        const [hosts, faults] = [new Set<string>(), [] as string[]];
        page.on("request", (request) => void (request.url().startsWith("data:") || hosts.add(new URL(request.url()).origin)));
        page.on("pageerror", (error) => void faults.push(String(error)));
        page.on("console", (message) => void (message.type() === "error" && faults.push(message.text())));
        await page.goto(`${api}/docs`);

        await page.getByRole("button", { name: "Authorize" }).first().click();
        await page.getByLabel("Value:").fill(functionKey);
        await page.locator(".auth-btn-wrapper .authorize").click();
        await page.locator(".auth-btn-wrapper .btn-done").click();

        const operation = page.locator("#operations-default-predict");
        await operation.getByRole("button").first().click();
        await operation.locator("textarea.body-param__text").fill(JSON.stringify({ players: [{ playerId: "from-the-page", features: playerFeatures() }] }));
        await operation.getByRole("button", { name: "Execute" }).click();
        const live = operation.locator(".live-responses-table");
        await expect.poll(() => live.innerText(), { timeout: 30_000 }).toMatch(/200[^]*"from-the-page"[^]*"model"/);

        expect([...hosts]).toEqual([new URL(api).origin]);
        expect(faults).toEqual([]);
    });

    test("has no other files than its own", async () => {
        expect((await fetch(`${api}/docs/..%2Findex.js`)).status).toBe(404);
        expect((await fetch(`${api}/docs/telemetry.js`)).status).toBe(404);
        expect((await fetch(`${api}/docs`)).headers.get("content-security-policy")).toContain("default-src 'none'");
    });
});

/** A game's backend that calls the endpoint with the types of its document. */
const backend = `
import createClient from "openapi-fetch";
import type { paths } from "./api";

export async function callAll(baseUrl: string, key: string, features: Record<string, number | string>) {
    const client = createClient<paths>({ baseUrl, headers: { "x-functions-key": key } });
    const record = features as NonNullable<paths["/predictions"]["post"]["requestBody"]["content"]["application/json"]["players"][number]["features"]>;
    const made = await client.POST("/predictions", { body: { players: [{ playerId: "typed", features: record }, { playerId: "unknown" }] } });
    const stored = await client.GET("/predictions/{playerId}", { params: { path: { playerId: "typed" } } });
    // @ts-expect-error -- an id is text
    const wrong = await client.POST("/predictions", { body: { players: [{ playerId: 5 }] } });
    const probability: number | undefined = made.data?.predictions[0]?.churn.probability;
    const code: "not_found" | "invalid_features" | "model_unavailable" | "overloaded" | "cache_unavailable" | undefined = made.data?.errors[0]?.code;
    return { probability, code, source: stored.data?.source, field: wrong.error?.field };
}
`;

describe("a client made from the OpenAPI document", () => {
    test("has the types of what it sends and gets, and calls the running host", async () => {
        mkdirSync(path.join(projectDir, "build"), { recursive: true });
        const dir = mkdtempSync(path.join(projectDir, "build", "client-"));
        try {
            const document = await (await fetch(`${api}/openapi.json`)).text();
            writeFileSync(path.join(dir, "api.ts"), astToString(await openapiTs(document)));
            writeFileSync(path.join(dir, "backend.ts"), backend);
            const tsc = path.join(projectDir, "node_modules", "typescript", "bin", "tsc");
            const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2024", "--types", "node"];
            await promisify(execFile)(process.execPath, [tsc, ...options, path.join(dir, "backend.ts")], { cwd: projectDir }).catch(
                (error: { readonly stdout: string }) => expect.fail(error.stdout),
            );
            const { callAll } = (await import(path.join(dir, "backend.ts"))) as { callAll: (...args: unknown[]) => Promise<unknown> };
            expect(await callAll(api, functionKey, playerFeatures())).toEqual({
                probability: 0.39,
                code: "not_found",
                source: "cache",
                field: "players[0].playerId",
            });
        } finally {
            rmSync(dir, { recursive: true });
        }
    });
});
