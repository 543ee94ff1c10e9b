import { STATUS_CODES, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import type { HttpCookie, HttpData, TypedData } from "./core-types";

/**
 * Largest request body that the host takes, in bytes
 * (https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#limits).
 */
export const maxBodyBytes = 104_857_600;

/** The request cannot be served; answered with `status`. */
export class RequestError extends Error {
    override readonly name = "RequestError";
    constructor(
        readonly status: number,
        message: string,
    ) {
        super(message);
    }
}

/** A request's path and query, taken apart once. */
export interface Target {
    readonly path: string;
    /** Values of a repeated name are joined by commas, as the host hands them to a worker. */
    readonly query: Record<string, string>;
}

export function readTarget(url: string): Target {
    const mark = url.indexOf("?");
    if (mark < 0) {
        return { path: url, query: {} };
    }
    const query: Record<string, string> = {};
    for (const [name, value] of new URLSearchParams(url.slice(mark + 1))) {
        query[name] = Object.hasOwn(query, name) ? `${query[name]},${value}` : value;
    }
    return { path: url.slice(0, mark), query };
}

export function hasBody({ headers: { "content-length": length, "transfer-encoding": encoding } }: IncomingMessage): boolean {
    return encoding !== undefined || (length !== undefined && length !== "0");
}

/**
 * Reads a request's body whole.
 *
 * @throws RequestError 413 when it is larger than the host takes, or when the client gave up
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
    if (Number(request.headers["content-length"]) > maxBodyBytes) {
        throw tooLarge();
    }
    return new Promise((resolve, reject) => {
        const chunks: Buffer[] = [];
        let size = 0;
        request.on("data", (chunk: Buffer) => {
            size += chunk.length;
            if (size > maxBodyBytes) {
                request.removeAllListeners("data");
                reject(tooLarge());
            } else {
                chunks.push(chunk);
            }
        });
        request.once("end", () => {
            resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
        });
        request.once("error", () => {
            reject(new RequestError(400, "the client closed the connection before it had sent the body"));
        });
    });
}

function tooLarge(): RequestError {
    return new RequestError(413, `the body is larger than ${maxBodyBytes} bytes`);
}

/** The request as the host hands it to a worker that takes bodies as bytes. */
export function toHttpData(
    request: IncomingMessage,
    query: Record<string, string>,
    params: Record<string, string>,
    body: Buffer | undefined,
): HttpData {
    const host = request.headers.host ?? "";
    if (!/^[\w.:[\]-]+$/.test(host)) {
        throw new RequestError(400, "the Host header is missing or wrong");
    }
    return {
        method: request.method,
        url: `http://${host}${request.url}`,
        headers: request.headers as Record<string, string>,
        query,
        params,
        body: body === undefined ? undefined : { bytes: body },
    };
}

/** Up to this size a body is put behind its head as text of a byte a character: Node.js then writes both in one piece. */
const onePieceBytes = 8_192;

/** Headers that belong to the connection, which is the host's and not the function's, or that the host computes. */
const ownHeaders = new Set(["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]);

/**
 * Sends a function's response; a function that gave none gets 204
 * (https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-output#usage).
 *
 * @param extra headers of the host, which stand over those of the function
 */
export function sendResponse(response: ServerResponse, data: HttpData | undefined, extra: OutgoingHttpHeaders): void {
    if (data === undefined) {
        response.writeHead(204, extra).end();
        return;
    }
    const headers: OutgoingHttpHeaders = {};
    for (const name in data.headers) {
        if (!ownHeaders.has(name)) {
            headers[name] = data.headers[name];
        }
    }
    if (data.cookies !== undefined && data.cookies.length > 0) {
        const set = headers["set-cookie"];
        headers["set-cookie"] = [...(typeof set === "string" ? [set] : []), ...data.cookies.map(serializeCookie)];
    }
    const status = Number(data.statusCode ?? 200);
    const body = status === 204 || status === 304 ? undefined : bodyBytes(data.body);
    if (body !== undefined) {
        headers["content-length"] = body.byteLength;
    }
    response.writeHead(status, Object.assign(headers, extra));
    if (body !== undefined && body.byteLength <= onePieceBytes) {
        response.end(body.toString("latin1"), "latin1");
    } else {
        response.end(body);
    }
}

function bodyBytes(body: TypedData | null | undefined): Buffer {
    const bytes = body?.bytes;
    return bytes === undefined ? Buffer.from(body?.string ?? body?.json ?? "") : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const sameSite = { none: undefined, lax: "Lax", strict: "Strict", explicitNone: "None" } as const;

function serializeCookie(cookie: HttpCookie): string {
    const attributes: [name: string, value: string | number | undefined][] = [
        ["Expires", cookie.expires?.value && new Date((cookie.expires.value.seconds ?? 0) * 1000).toUTCString()],
        ["Max-Age", cookie.maxAge?.value],
        ["Domain", cookie.domain?.value],
        ["Path", cookie.path?.value],
        ["SameSite", sameSite[cookie.sameSite ?? "none"]],
    ];
    return [
        `${encodeURIComponent(cookie.name)}=${encodeURIComponent(cookie.value)}`,
        ...attributes.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${value}`),
        ...(cookie.secure?.value ? ["Secure"] : []),
        ...(cookie.httpOnly?.value ? ["HttpOnly"] : []),
    ].join("; ");
}

/** Answers without a function, as the host does: an empty body, unless `problem` says what a caller should know. */
export function sendStatus(response: ServerResponse, status: number, extra: OutgoingHttpHeaders, problem?: string): void {
    const body = problem === undefined ? "" : `${STATUS_CODES[status]}: ${problem}\n`;
    const type = problem === undefined ? {} : { "content-type": "text/plain; charset=utf-8" };
    response.writeHead(status, { ...type, ...extra, "content-length": Buffer.byteLength(body) }).end(body);
}
