import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { IdentityPart } from "../../parts/identity";
import { listenOnKeptPort } from "../../parts/ports";
import type { Workshop } from "../../parts/workshop";
import type { AccessControl, Permission } from "../access";

/** Resource of the tokens that Azure ML's endpoints take. */
const modelAudience = "https://ml.azure.com";

/** An answer of JSON. */
export function json(status: number, body: object): GateAnswer {
    return { status, contentType: "application/json", body: JSON.stringify(body) };
}

/** An answer other than 200, in the words that Azure ML uses. */
export class GateError extends Error {
    override readonly name = "GateError";
    constructor(
        readonly status: number,
        message: string,
    ) {
        super(message);
    }
}

export interface GateAnswer {
    readonly status: number;
    readonly contentType: string;
    readonly body: string | Uint8Array;
}

export interface GateOptions {
    /** Unique among the gates of a workshop. */
    readonly name: string;
    readonly identity: IdentityPart;
    readonly access: AccessControl;
    /**
     * Resource of the tokens that it takes.
     * @default that of Azure ML's endpoints
     */
    readonly audience?: string;
    /** What the caller's role must allow, and on the resource of which ARM id. */
    readonly needs: (request: GateRequest) => { readonly permission: Permission; readonly scope: string };
    /** Answers an authorised request; `deployment` is that of the `azureml-model-deployment` header. */
    readonly answer: (request: GateRequest) => Promise<GateAnswer>;
}

export interface GateRequest {
    readonly method: string;
    readonly path: string;
    readonly query: URLSearchParams;
    readonly deployment: string | undefined;
    readonly body: Buffer;
}

/** An endpoint's address. */
export interface Gate {
    /** `https://127.0.0.1:<port>` */
    readonly address: string;
    stop(): Promise<void>;
}

/** Starts an endpoint's address: HTTPS, Entra tokens, and the role that Azure ML asks of the caller. */
export async function startGate(workshop: Workshop, options: GateOptions): Promise<Gate> {
    const { cert, key } = workshop.certificate;
    const server = createServer({ cert, key }, (request, response) => void serve(options, request, response));
    const port = await listenOnKeptPort(workshop, `gate-${options.name}`, server);
    const stop = (): Promise<void> =>
        new Promise((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
        });
    workshop.onStop(stop);
    return { address: `https://127.0.0.1:${port}`, stop };
}

async function serve(options: GateOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: GateAnswer;
    try {
        const body = Buffer.concat(await request.toArray());
        const [path = "/", query] = (request.url ?? "/").split("?");
        const deployment = request.headers["azureml-model-deployment"]?.toString();
        const asked = { method: request.method ?? "GET", path, query: new URLSearchParams(query), deployment, body };
        await authorise(options, asked, request.headers.authorization);
        answer = await options.answer(asked);
    } catch (error) {
        const status = error instanceof GateError ? error.status : 500;
        const message = error instanceof Error ? error.message : String(error);
        answer = json(status, { error: { code: status, message } });
    }
    if (!response.destroyed) {
        response.writeHead(answer.status, { "content-type": answer.contentType });
        response.end(answer.body);
    }
}

async function authorise({ identity, access, audience = modelAudience, needs }: GateOptions, request: GateRequest, authorization: string | undefined): Promise<void> {
    let principalId: string;
    try {
        ({ principalId } = await identity.verify((authorization ?? "").replace(/^Bearer /, ""), audience));
    } catch (error) {
        throw new GateError(401, `Please provide an authorization token for ${audience}: ${error instanceof Error ? error.message : String(error)}`);
    }
    const { permission, scope } = needs(request);
    if (!access.allows(principalId, permission, scope)) {
        throw new GateError(403, `principal ${principalId} may not ${permission} on ${scope}: it has no role there such as AzureML Data Scientist`);
    }
}
