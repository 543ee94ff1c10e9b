import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";

/** A server before S3 that does what a network and a service do on a bad day. */
export interface S3Front {
    readonly endpoint: string;
    /** Answers a request by itself and returns true; anything else is passed on. */
    intercept: (request: S3Request, response: ServerResponse) => boolean | Promise<boolean>;
    /** Changes an answer's headers. */
    change: (request: S3Request, headers: IncomingMessage["headers"]) => IncomingMessage["headers"];
    /** What becomes of a body: so many bytes of it come, and then it stalls, or the connection breaks. */
    cut: (request: S3Request) => { readonly after: number; readonly how: "stall" | "break" } | undefined;
    /** Requests that came, in their order. */
    readonly requests: S3Request[];
    /** Forgets what happened, and does nothing more to anything. */
    reset(): void;
    stop(): Promise<void>;
}

export interface S3Request {
    readonly method: string;
    /** Path below the bucket, decoded. */
    readonly key: string;
    readonly query: URLSearchParams;
    readonly headers: IncomingMessage["headers"];
    /** By a URL that was signed, and not with a header. */
    readonly presigned: boolean;
    /** The access key that signed. */
    readonly accessKey: string;
}

export async function startS3Front(upstream: string, ca: string): Promise<S3Front> {
    const target = new URL(upstream);
    const agent = new Agent({ keepAlive: true, ca });
    const open = new Set<ServerResponse>();
    const server = createServer((request, response) => {
        open.add(response);
        response.on("close", () => open.delete(response));
        void serve(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

    async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const seen = read(request);
        front.requests.push(seen);
        if (await front.intercept(seen, response)) {
            request.resume();
            return;
        }
        const cut = front.cut(seen);
        const forwarded = (target.protocol === "https:" ? httpsRequest : httpRequest)(
            { agent, host: target.hostname, port: target.port, method: request.method, path: request.url, headers: request.headers },
            (answer) => {
                response.writeHead(answer.statusCode ?? 502, front.change(seen, answer.headers));
                if (cut === undefined) {
                    answer.pipe(response);
                    return;
                }
                response.flushHeaders();
                let left = cut.after;
                answer.on("data", (chunk: Buffer) => {
                    const part = chunk.subarray(0, left);
                    left -= part.length;
                    if (part.length > 0) {
                        response.write(part, () => {
                            if (left === 0 && cut.how === "break") {
                                response.destroy();
                            }
                        });
                    } else if (cut.after === 0 && cut.how === "break") {
                        response.destroy();
                    }
                });
            },
        );
        forwarded.on("error", () => response.destroy());
        request.pipe(forwarded);
    }

    const nothing = {
        intercept: () => false,
        change: (_request: S3Request, headers: IncomingMessage["headers"]) => headers,
        cut: () => undefined,
    };
    const front: S3Front = {
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        ...nothing,
        requests: [],
        reset() {
            Object.assign(front, nothing);
            front.requests.length = 0;
        },
        async stop() {
            open.forEach((response) => response.destroy());
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
            agent.destroy();
        },
    };
    return front;
}

function read(request: IncomingMessage): S3Request {
    const url = new URL(request.url ?? "/", "http://s3");
    const credential = url.searchParams.get("X-Amz-Credential") ?? /Credential=([^,]+)/u.exec(request.headers.authorization ?? "")?.[1] ?? "";
    return {
        method: request.method ?? "GET",
        key: decodeURIComponent(url.pathname.split("/").slice(2).join("/")),
        query: url.searchParams,
        headers: request.headers,
        presigned: url.searchParams.has("X-Amz-Signature"),
        accessKey: credential.split("/")[0] ?? "",
    };
}

/** An error as S3 writes it. */
export function answerError(response: ServerResponse, status: number, code: string): true {
    response.writeHead(status, { "content-type": "application/xml" }).end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
    return true;
}

/**
 * A bucket of many objects with one content, told and given by the front itself: as many as one likes, at no cost.
 *
 * @param keys in the order of their bytes
 */
export function manyObjects(keys: readonly string[], content: string): S3Front["intercept"] {
    const etag = `"${createHash("md5").update(content).digest("hex")}"`;
    return ({ method, key, query, headers }, response) => {
        if (query.get("list-type") === "2") {
            const from = Number(query.get("continuation-token") ?? 0);
            const page = keys.slice(from, from + 1_000);
            const more = from + page.length < keys.length;
            const entries = page.map((name) => `<Contents><Key>${name}</Key><ETag>${etag}</ETag><Size>${content.length}</Size></Contents>`);
            const next = more ? `<NextContinuationToken>${from + page.length}</NextContinuationToken>` : "";
            response.writeHead(200, { "content-type": "application/xml" });
            response.end(`<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${entries.join("")}</ListBucketResult>`);
            return true;
        }
        if (key === "" || (headers["if-match"] ?? etag) !== etag) {
            return false;
        }
        response.writeHead(200, { etag, "content-length": content.length, "content-type": "text/csv" });
        response.end(method === "HEAD" ? undefined : content);
        return true;
    };
}
