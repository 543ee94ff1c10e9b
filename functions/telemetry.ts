import type { TokenCredential } from "@azure/identity";
import { AzureMonitorMetricExporter } from "@azure/monitor-opentelemetry-exporter";
import type { Meter } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { Settings } from "./settings";

/** The metrics of this process. */
export interface Telemetry {
    readonly meter: Meter;
    /** All of them, as text for Prometheus. */
    prometheus(): Promise<string>;
    /** Sends what there is now. What cannot be sent is no error. */
    flush(): Promise<void>;
    /** Sends what there is, and ends. */
    stop(): Promise<void>;
}

/**
 * Collects the metrics of this process, and sends them to Application Insights every minute where the settings name one. It takes them from
 * the identity alone, keys are refused there. What cannot be sent is lost without a word: the next minute's sums hold it too.
 *
 * It is a megabyte to load, and so a file of its own in the package, which nobody waits for.
 */
export function startTelemetry(
    settings: Pick<Settings, "APPLICATIONINSIGHTS_CONNECTION_STRING">,
    credential: TokenCredential,
    exportIntervalMs = 60_000,
): Telemetry {
    const local = new PrometheusExporter({ preventServerStart: true });
    const serializer = new PrometheusSerializer();
    const connectionString = settings.APPLICATIONINSIGHTS_CONNECTION_STRING;
    // The name of the role in Application Insights; by default it would be "unknown_service" with the path of Node.js.
    const resource = resourceFromAttributes({ "service.name": "player-predictions" });
    const readers = connectionString === "" ? [local] : [local, azureMonitor(connectionString, credential, exportIntervalMs)];
    const provider = new MeterProvider({ resource, readers });
    return {
        meter: provider.getMeter("player-predictions"),
        async prometheus() {
            return serializer.serialize((await local.collect()).resourceMetrics);
        },
        flush: () => provider.forceFlush(),
        stop: () => provider.shutdown(),
    };
}

function azureMonitor(connectionString: string, credential: TokenCredential, exportIntervalMillis: number): PeriodicExportingMetricReader {
    // The exporter would report on itself to an address of its maker.
    process.env["APPLICATION_INSIGHTS_NO_STATSBEAT"] ??= "true";
    // An instance goes when it likes, and its disk with it.
    const exporter = new AzureMonitorMetricExporter({ connectionString, credential, disableOfflineStorage: true });
    return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis, exportTimeoutMillis: exportIntervalMillis });
}
