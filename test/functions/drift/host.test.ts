import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { driftMetric } from "../../../functions/contracts";
import type { DayReport } from "../../../functions/drift/report";
import { startHost } from "../../../local/host";
import type { Process } from "../../../local/parts/workshop";
import { unpackHandlers } from "../../faults/unpack";
import { clientId, type ColdParts, startColdParts } from "../cold/parts";
import { hotAppSettings } from "../hot/app-settings";
import { startInsights } from "../hot/insights";
import { counted } from "./counts";
import { putBatch, reportsOf, shifted } from "./world";

const keys = { functionKey: "the-function-key", masterKey: "the-master-key" };

/** The deployed package on the local host, its timer fired as a person can on Azure, with a lake and an Application Insights. */
describe("the handler drift", () => {
    let parts: ColdParts;
    let insights: Awaited<ReturnType<typeof startInsights>>;
    let url: string;
    let host: Process;

    beforeAll(async () => {
        [parts, insights] = await Promise.all([startColdParts(), startInsights()]);
        const packageDir = path.join(parts.workshop.dir, "package");
        await unpackHandlers(packageDir);
        const nobody = { clientId, principalId: parts.principalId, redisPort: 9, modelUrl: "https://127.0.0.1:9/score", modelVersion: "model-1" };
        const appSettings = hotAppSettings(nobody, {
            Lake__blobServiceUri: parts.account.blobEndpoint,
            Lake__queueServiceUri: parts.account.queueEndpoint,
            APPLICATIONINSIGHTS_CONNECTION_STRING: insights.connectionString,
        });
        ({ url, process: host } = await startHost(parts.workshop, { packageDir, appSettings, identity: parts.identity, keys, port: 0 }));
    });
    beforeEach(async () => {
        await parts.clear();
        insights.received.length = 0;
    });
    afterAll(async () => {
        await parts.stop();
        await insights.stop();
    });

    const metricsOf = (name: string) => insights.metrics().filter((metric) => metric.name === name);
    /** What was said of each column. */
    const verdicts = () => Object.fromEntries(metricsOf(driftMetric.name).map(({ value, properties }) => [properties[driftMetric.column] ?? "", value] as const));
    const logged = () => [...readFileSync(host.logFile, "utf8").matchAll(/^\S+ information drift \S+ (\{.*)$/gm)].map(([, line]) => JSON.parse(line ?? "") as object);

    /** Fires the timer and waits until the run has sent its metrics. */
    async function run(): Promise<DayReport | undefined> {
        const answer = await fetch(`${url}/admin/functions/drift`, { method: "POST", headers: { "x-functions-key": keys.masterKey }, body: "{}" });
        expect(answer.status).toBe(202);
        await vi.waitFor(() => expect(metricsOf("drift.columns")).not.toEqual([]), { timeout: 30_000, interval: 200 });
        return Object.values(await reportsOf(parts))[0];
    }

    test("raises nothing of a day like the training data", async () => {
        await putBatch(parts, { createdAt: "2026-01-31T03:20:00.000Z" });
        expect(await run()).toMatchObject({ day: "2026-01-31", drifted: [] });
        expect(verdicts()).toEqual({ age: 0, country: 0, churn: 0, segment: 0 });
        expect(metricsOf("drift.columns")).toMatchObject([{ value: 0, properties: { version: "model-1" } }]);
        expect(logged().at(-1)).toMatchObject({ event: "drift", outcome: "steady" });
    });

    test("tells of a day that is not, by report, metrics and log; twice, and it is told the same", async () => {
        const churn = { churn: [900, 100], churnSum: 250 };
        await putBatch(parts, { createdAt: "2026-02-01T03:20:00.000Z", players: [shifted, counted({ ...churn, country: { KR: 600, FR: 400 } })] });
        const report = await run();
        expect(report).toMatchObject({ day: "2026-02-01", players: { now: 2_000 } });
        expect(report?.drifted).toContain("country");
        expect(verdicts()).toMatchObject({ age: 0, country: 1 });
        expect(metricsOf("drift.columns")).toMatchObject([{ value: report?.drifted.length }]);
        expect(metricsOf("drift.psi").map(({ properties }) => `${properties["kind"]} ${properties["column"]}`).sort()).toEqual([
            "feature age",
            "feature country",
            "score churn",
            "segment segment",
        ]);
        expect(metricsOf("drift.unseen")).toMatchObject([{ value: 0.1, properties: { column: "country" } }]);
        expect(metricsOf("drift.score.shift")).toMatchObject([{ value: 750 / 2_000 - 0.5, properties: { column: "churn" } }]);
        expect(logged().at(-1)).toMatchObject({ event: "drift", outcome: "drifted", report: "runs/drift/2026-02-01.json" });

        // On this machine they are read over HTTP.
        const metrics = await (await fetch(`${url}/api/metrics`, { headers: { "x-functions-key": keys.functionKey } })).text();
        expect(metrics).toMatch(/^drift_drifted\{.*column="country".*\} 1$/m);
        expect(metrics).toMatch(/^drift_unseen\{.*column="country".*\} 0\.1$/m);

        insights.received.length = 0;
        expect(await run()).toEqual(report);
        expect(verdicts()).toMatchObject({ age: 0, country: 1 });
    });
});
