import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that the server got. */
export interface BatchRequest {
    readonly method: string | undefined;
    readonly url: string | undefined;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
}

/** An answer; `hangUp` breaks the connection instead. */
export type BatchAnswer = { readonly status: number; readonly body: string } | "hangUp";

/** An HTTP server in the place of the batch endpoint. */
export interface BatchServer {
    readonly uri: string;
    readonly requests: BatchRequest[];
    /** Answers a request from now on. */
    answer: (request: BatchRequest) => BatchAnswer | Promise<BatchAnswer>;
    stop(): Promise<void>;
}

/** Starts one that takes every job and names it `job-1`, `job-2` and so on. */
export async function startBatchServer(): Promise<BatchServer> {
    let jobs = 0;
    const server = createServer((request, response) => {
        void request.toArray().then(async (chunks) => {
            const got = {
                method: request.method,
                url: request.url,
                headers: request.headers,
                body: Buffer.concat(chunks as Buffer[]).toString("utf8"),
            };
            batch.requests.push(got);
            const answer = await batch.answer(got);
            if (answer === "hangUp") {
                request.socket.destroy();
                return;
            }
            response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
        });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const batch: BatchServer = {
        uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jobs`,
        requests: [],
        answer: () => {
            jobs += 1;
            return { status: 200, body: jobBody(`job-${jobs}`, "Queued") };
        },
        stop: () =>
            new Promise((resolve) => {
                server.closeAllConnections();
                server.close(() => resolve());
            }),
    };
    return batch;
}

/** A job as the endpoint describes it, with the folder that it writes to. */
export function jobBody(name: string, status: string, outputPath?: string): string {
    const outputData = { predictions: { jobOutputType: "UriFolder", uri: `azureml:/subscriptions/s/datastores/d/paths/${outputPath}/` } };
    const properties = { jobType: "Pipeline", status, ...(outputPath !== undefined && { outputData }) };
    return JSON.stringify({ id: `/subscriptions/s/jobs/${name}`, name, properties });
}
