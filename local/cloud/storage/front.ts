import { Agent, createServer, request as httpsRequest } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { IdentityPart } from "../../parts/identity";
import { listenOnKeptPort } from "../../parts/ports";
import type { Workshop } from "../../parts/workshop";
import type { AccessControl } from "../access";
import { openSource, readsFromUrl, SourceRefusal } from "./from-url";
import { blobCreatedApi, readStorageRequest, type StorageKind, type StorageRequest } from "./requests";

/** A blob was written through a front. */
export interface BlobWritten {
    readonly api: "PutBlob" | "PutBlockList" | "CopyBlob";
    readonly container: string;
    readonly blob: string;
    readonly url: string;
    readonly eTag: string;
    readonly contentType: string;
    readonly contentLength: number;
    readonly requestId: string;
}

export interface FrontOptions {
    readonly kind: StorageKind;
    readonly account: string;
    /** ARM id of the account: the scope that role assignments are checked against. */
    readonly accountId: string;
    /** Azurite's endpoint for this service, with the account in its path. */
    readonly upstream: string;
    readonly identity: IdentityPart;
    readonly access: Pick<AccessControl, "allows">;
    readonly sharedKeysAllowed: () => boolean;
    /** Awaited before the writer gets its answer: an event is never lost between the write and its delivery. */
    readonly onWritten: (written: BlobWritten) => Promise<void>;
}

export interface Front {
    /** `https://127.0.0.1:<port>/<account>` */
    readonly endpoint: string;
    stop(): Promise<void>;
}

/** What Azurite's token check does not do: the audience of storage. */
const storageAudience = "https://storage.azure.com";

/**
 * Stands before one service of one Azurite and adds what Azure has and Azurite lacks: role assignments, accounts that refuse shared
 * keys, blobs and blocks read from a URL, and word of each blob written. Bodies stream through unread.
 */
export async function startFront(workshop: Workshop, options: FrontOptions): Promise<Front> {
    const { cert, key } = workshop.certificate;
    const upstream = new URL(options.upstream);
    const agent = new Agent({ keepAlive: true, ca: cert });
    const server = createServer({ cert, key }, (request, response) => {
        void serve(options, { upstream, agent, ca: cert }, request, response);
    });
    const port = await listenOnKeptPort(workshop, `front-${options.account}-${options.kind}`, server);
    return {
        endpoint: `https://127.0.0.1:${port}/${options.account}`,
        stop: () =>
            new Promise((resolve) => {
                server.close(() => resolve());
                server.closeAllConnections();
                agent.destroy();
            }),
    };
}

/** How Azurite is reached. */
interface Upstream {
    readonly upstream: URL;
    readonly agent: Agent;
    readonly ca: string;
}

async function serve(options: FrontOptions, { upstream, agent, ca }: Upstream, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? "GET";
    const target = request.url ?? "/";
    const storageRequest = readStorageRequest(options.kind, method, target, request.headers.authorization);
    const refusal = await refuse(options, storageRequest, request.headers.authorization);
    if (refusal !== undefined) {
        request.resume();
        answerError(response, 403, refusal.code, refusal.message);
        return;
    }
    try {
        const fromUrl = options.kind === "blob" && readsFromUrl(method, target, request.headers);
        const { body, headers } = fromUrl ? await openSource(request.headers, ca) : { body: request, headers: request.headers };
        const forwarded = httpsRequest({ agent, host: upstream.hostname, port: upstream.port, method, path: target, headers }, (answer) => {
            void deliverAndAnswer(options, storageRequest, request, answer, response);
        });
        forwarded.on("error", (error) => answerError(response, 502, "UpstreamUnavailable", `Azurite did not answer: ${error.message}`));
        body.on("aborted", () => forwarded.destroy());
        request.on("aborted", () => forwarded.destroy());
        body.pipe(forwarded);
    } catch (error) {
        if (!(error instanceof SourceRefusal)) {
            throw error;
        }
        answerError(response, error.status, error.code, error.message);
    }
}

async function refuse(
    options: FrontOptions,
    storageRequest: StorageRequest,
    authorization: string | undefined,
): Promise<{ readonly code: string; readonly message: string } | undefined> {
    switch (storageRequest.authentication) {
        case "none":
            return { code: "PublicAccessNotPermitted", message: "Public access is not permitted on this storage account." };
        case "sharedKey":
        case "sas":
            return options.sharedKeysAllowed()
                ? undefined
                : { code: "KeyBasedAuthenticationNotPermitted", message: "Key based authentication is not permitted on this storage account." };
        case "token": {
            const resource = options.accountId + storageRequest.resourcePath;
            try {
                const { principalId } = await options.identity.verify((authorization ?? "").slice("Bearer ".length), storageAudience);
                return options.access.allows(principalId, storageRequest.permission, resource)
                    ? undefined
                    : { code: "AuthorizationPermissionMismatch", message: `Principal ${principalId} has no role for ${storageRequest.permission} on ${resource}.` };
            } catch (error) {
                return { code: "AuthenticationFailed", message: `The token was refused: ${error instanceof Error ? error.message : String(error)}` };
            }
        }
    }
}

async function deliverAndAnswer(
    options: FrontOptions,
    storageRequest: StorageRequest,
    request: IncomingMessage,
    answer: IncomingMessage,
    response: ServerResponse,
): Promise<void> {
    const status = answer.statusCode ?? 502;
    const { parent: container, blob } = storageRequest;
    const api = options.kind === "blob" && status === 201 ? blobCreatedApi(request.method ?? "GET", request.url ?? "/", request.headers) : undefined;
    if (api !== undefined && container !== undefined && blob !== undefined) {
        await options.onWritten({
            api,
            container,
            blob,
            url: `https://${request.headers.host}${(request.url ?? "").split("?")[0]}`,
            eTag: (answer.headers.etag ?? "").replaceAll('"', ""),
            contentType: request.headers["x-ms-blob-content-type"]?.toString() ?? "application/octet-stream",
            contentLength: api === "PutBlob" ? Number(request.headers["content-length"] ?? 0) : 0,
            requestId: answer.headers["x-ms-request-id"]?.toString() ?? "",
        });
    }
    response.writeHead(status, answer.headers);
    answer.on("error", () => response.destroy());
    answer.pipe(response);
}

/** Azure Storage's error shape, which its clients parse. */
function answerError(response: ServerResponse, status: number, code: string, message: string): void {
    if (response.headersSent) {
        response.destroy();
        return;
    }
    const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message.replace(/[<&]/g, "")}</Message></Error>`;
    response.writeHead(status, { "content-type": "application/xml", "x-ms-error-code": code });
    response.end(body);
}
