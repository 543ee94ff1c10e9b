import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { startTelemetry } from "../../../functions/telemetry";
import { loadCertificate } from "../../../local/parts/certificate";

const credential = { getToken: () => Promise.resolve({ token: "a-token", expiresOnTimestamp: Date.now() + 3_600_000 }) };
const connectionString = (port: number) => `InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=https://127.0.0.1:${port}`;

describe("the metrics", () => {
    test("reach Application Insights under the identity, and are readable here", async () => {
        const received: { readonly request: IncomingMessage; readonly body: string }[] = [];
        const server = createServer(await loadCertificate(), (request, response) => {
            void buffer(request).then((body) => {
                const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(body).toString() : body.toString();
                received.push({ request, body: text });
                response.writeHead(200, { "content-type": "application/json" }).end('{"itemsReceived":1,"itemsAccepted":1,"errors":[]}');
            });
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const settings = { APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString((server.address() as AddressInfo).port) };
        const telemetry = startTelemetry(settings, credential, 100);
        telemetry.meter.createCounter("predictions.tried").add(3, { tier: "redis" });
        expect(await telemetry.prometheus()).toMatch(/predictions_tried_total\{.*tier="redis".*\} 3/);
        expect(await telemetry.prometheus()).toContain('service_name="player-predictions"');
        await vi.waitFor(() => expect(received.some(({ body }) => body.includes("predictions.tried"))).toBe(true), { timeout: 20_000 });
        await telemetry.stop();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        expect(received[0]?.request.headers.authorization).toBe("Bearer a-token");
        expect(received[0]?.body).toContain('"ai.cloud.role":"player-predictions"');
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
