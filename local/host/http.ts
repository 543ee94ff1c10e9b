import { randomUUID } from "node:crypto";
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, ServerResponse } from "node:http";
import type { Admin } from "./admin";
import type { Core } from "./core";
import type { InvocationRequest } from "./core-types";
import { hasBody, readBody, readTarget, RequestError, sendResponse, sendStatus, toHttpData } from "./http-message";
import { invoke } from "./invocation";
import { isAllowed, type Keys } from "./keys";
import { errorText, type Log } from "./log";
import type { RouteMatch, RouteTable } from "./routes";

/** The HTTP side of the host: routes and keys, and the administration under `/admin/`. */
export class HttpFrontEnd {
    /** Headers of every answer of the host. */
    #extra: OutgoingHttpHeaders = {};
    #turn: Promise<void> | undefined;

    constructor(
        private readonly core: Core,
        private readonly routes: RouteTable,
        private readonly admin: Admin,
        private readonly keys: Keys,
        private readonly log: Log,
    ) {}

    readonly listener: RequestListener = (request, response) => {
        this.#answer(request, response).catch((error: unknown) => {
            const refused = error instanceof RequestError ? error : undefined;
            if (refused === undefined) {
                this.log.write("error", `${request.method} ${readTarget(request.url ?? "/").path}: ${errorText(error)}`);
            }
            if (!response.headersSent) {
                // What is left of a refused body is read and thrown away, or the client might not see the answer.
                request.resume();
                sendStatus(response, refused?.status ?? 500, this.#extra, refused?.message);
            }
        });
    };

    /** From here on every answer ends its connection. */
    drain(): void {
        this.#extra = { connection: "close" };
    }

    async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const { method = "GET", url = "/" } = request;
        const { path, query } = readTarget(url);
        if (path.startsWith("/admin/")) {
            await this.admin.answer(request, response, path, query);
            return;
        }
        const match = this.routes.match(method, path);
        // A wrong method is as unknown as a wrong path (https://github.com/Azure/azure-functions-host/issues/10098).
        if (match === undefined) {
            sendStatus(response, 404, this.#extra);
        } else if (!isAllowed(request, query, match.target.authLevel, this.keys)) {
            sendStatus(response, 401, this.#extra);
        } else {
            await this.#invoke(request, response, match, query);
        }
    }

    async #invoke(request: IncomingMessage, response: ServerResponse, match: RouteMatch, query: Record<string, string>): Promise<void> {
        const { registered, binding } = match.target;
        const body = hasBody(request) ? await readBody(request) : undefined;
        const http = toHttpData(request, query, match.params, body);
        const invocationId = randomUUID();
        const extra = { "x-ms-invocation-id": invocationId, ...this.#extra };
        const input = { name: binding, data: { http }, traceContext: traceContext(request) };
        let result;
        try {
            result = await invoke(this.core, registered, input, invocationId);
        } catch (error) {
            const functionName = registered.metadata.name;
            const text = `Executed 'Functions.${functionName}' (Failed, Id=${invocationId}) ${errorText(error)}`;
            this.log.write("error", text, { functionName, invocationId });
            sendStatus(response, 500, extra);
            return;
        }
        await this.#endOfTurn();
        sendResponse(response, result.returnValue?.http, extra);
    }

    /**
     * Answers of one turn of the event loop go out one right after the other: a client with many connections that waits for them need not be
     * woken up for each.
     */
    #endOfTurn(): Promise<void> {
        this.#turn ??= new Promise((resolve) => {
            setImmediate(() => {
                this.#turn = undefined;
                resolve();
            });
        });
        return this.#turn;
    }
}

function traceContext({ headers: { traceparent, tracestate } }: IncomingMessage): InvocationRequest["traceContext"] {
    return typeof traceparent === "string" ? { traceParent: traceparent, traceState: tracestate as string | undefined } : undefined;
}
