import { describe, expect, test, vi } from "vitest";
import { startTelemetry } from "../../../functions/telemetry";
import { connectionString, startInsights } from "./insights";

const credential = { getToken: () => Promise.resolve({ token: "a-token", expiresOnTimestamp: Date.now() + 3_600_000 }) };

describe("the metrics", () => {
    test("reach Application Insights under the identity, and are readable here", async () => {
        const insights = await startInsights();
        const settings = { APPLICATIONINSIGHTS_CONNECTION_STRING: insights.connectionString };
        const telemetry = startTelemetry(settings, credential, 100);
        telemetry.meter.createCounter("predictions.tried").add(3, { tier: "redis" });
        expect(await telemetry.prometheus()).toMatch(/predictions_tried_total\{.*tier="redis".*\} 3/);
        expect(await telemetry.prometheus()).toContain('service_name="player-predictions"');
        await vi.waitFor(() => expect(insights.metrics().map(({ name }) => name)).toContain("predictions.tried"), { timeout: 20_000 });
        await telemetry.stop();
        await insights.stop();
        const [received] = insights.received;
        expect(received?.request.headers.authorization).toBe("Bearer a-token");
        expect(received?.body).toContain('"ai.cloud.role":"player-predictions"');
    });

    test("are sent at once when that is asked for, a gauge's value once", async () => {
        const insights = await startInsights();
        const telemetry = startTelemetry({ APPLICATIONINSIGHTS_CONNECTION_STRING: insights.connectionString }, credential);
        telemetry.meter.createGauge("drift.tried").record(0.25, { column: "age" });
        await telemetry.flush();
        await telemetry.flush();
        await telemetry.stop();
        await insights.stop();
        expect(insights.metrics()).toEqual([{ name: "drift.tried", value: 0.25, properties: { column: "age" } }]);
    });

    test("that nobody takes disturb nothing, and without an address go nowhere", async () => {
        const said = (["log", "warn", "error", "info", "debug"] as const).map((level) => vi.spyOn(console, level));
        const lost = startTelemetry({ APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString(9) }, credential, 100);
        lost.meter.createCounter("predictions.tried").add(1);
        await new Promise((resolve) => setTimeout(resolve, 500));
        expect(await lost.prometheus()).toContain("predictions_tried_total");
        await lost.stop().catch(() => undefined);
        const silent = startTelemetry({ APPLICATIONINSIGHTS_CONNECTION_STRING: "" }, credential);
        await silent.stop();
        expect(said.flatMap((spy) => spy.mock.calls)).toEqual([]);
    });
});
