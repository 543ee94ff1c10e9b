import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { loadCertificate } from "../../../local/parts/certificate";

/** The connection string of an Application Insights at this port of the machine. */
export function connectionString(port: number): string {
    return `InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=https://127.0.0.1:${port}`;
}

/** A metric's value as it arrived. */
export interface ReceivedMetric {
    readonly name: string;
    readonly value: number;
    readonly properties: Readonly<Record<string, string>>;
}

/** Stands for the ingestion endpoint of Application Insights: takes everything. */
export async function startInsights() {
    const received: { readonly request: IncomingMessage; readonly body: string }[] = [];
    const server = createServer(await loadCertificate(), (request, response) => {
        void buffer(request).then((body) => {
            const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(body).toString() : body.toString();
            received.push({ request, body: text });
            response.writeHead(200, { "content-type": "application/json" }).end('{"itemsReceived":1,"itemsAccepted":1,"errors":[]}');
        });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        connectionString: connectionString((server.address() as AddressInfo).port),
        received,
        /** The metrics that arrived, oldest first. */
        metrics(): ReceivedMetric[] {
            return received.flatMap(({ body }) => (JSON.parse(body) as Envelope[]).flatMap(metricsOf));
        },
        async stop(): Promise<void> {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}

interface Envelope {
    readonly data: { readonly baseData: { readonly metrics?: { readonly name: string; readonly value: number }[]; readonly properties: Record<string, string> } };
}

function metricsOf({ data: { baseData } }: Envelope): ReceivedMetric[] {
    return (baseData.metrics ?? []).map(({ name, value }) => ({ name, value, properties: baseData.properties }));
}
