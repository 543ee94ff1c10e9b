import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";
import type { TriggeredFunction } from "./functions";
import { hasBody, readBody, RequestError, sendStatus } from "./http-message";
import { isAllowed, type Keys } from "./keys";

const invocationBody = z.object({ input: z.string().optional() });

/** Runs a function now, in the background; `input` is the message of a queue function. */
export type Trigger = (input: string) => void;

/**
 * The administration of the host, open to the master key only:
 * `GET /admin/host/status`, `GET /admin/functions`, `POST /admin/functions/<name>`
 * (https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http).
 */
export class Admin {
    constructor(
        private readonly functions: readonly TriggeredFunction[],
        /** By function name; HTTP functions have none. */
        private readonly triggers: ReadonlyMap<string, Trigger>,
        private readonly keys: Keys,
    ) {}

    async answer(request: IncomingMessage, response: ServerResponse, path: string, query: Readonly<Record<string, string>>): Promise<void> {
        if (!isAllowed(request, query, "admin", this.keys)) {
            sendStatus(response, 401, {});
            return;
        }
        const name = /^\/admin\/functions\/([^/]+)$/.exec(path)?.[1];
        if (request.method === "GET" && path === "/admin/host/status") {
            sendJson(response, { state: "Running", functions: this.functions.map((triggered) => triggered.registered.metadata.name) });
        } else if (request.method === "GET" && path === "/admin/functions") {
            sendJson(response, this.functions.map(describe));
        } else if (request.method === "POST" && name !== undefined) {
            await this.#trigger(decodeURIComponent(name), request, response);
        } else {
            sendStatus(response, 404, {});
        }
    }

    async #trigger(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
        if (!this.functions.some((triggered) => triggered.registered.metadata.name === name)) {
            throw new RequestError(404, `there is no function "${name}"`);
        }
        const trigger = this.triggers.get(name);
        if (trigger === undefined) {
            throw new RequestError(400, `function "${name}" has an HTTP trigger: call its URL`);
        }
        const body = hasBody(request) ? (await readBody(request)).toString() : undefined;
        trigger(body === undefined ? "" : (parseInvocation(body).input ?? ""));
        sendStatus(response, 202, {});
    }
}

function parseInvocation(body: string): z.infer<typeof invocationBody> {
    try {
        return invocationBody.parse(JSON.parse(body));
    } catch {
        throw new RequestError(400, `the body must be JSON such as {"input":"text"}`);
    }
}

function describe({ registered, disabled }: TriggeredFunction): object {
    const { name, bindings } = registered.metadata;
    const config = { bindings: Object.entries(bindings).map(([key, binding]) => ({ ...binding, name: key })) };
    return { name, language: "node", isDisabled: disabled, config };
}

function sendJson(response: ServerResponse, value: unknown): void {
    const body = JSON.stringify(value);
    response.writeHead(200, { "content-type": "application/json; charset=utf-8", "content-length": Buffer.byteLength(body) }).end(body);
}
