import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { IdentityPart } from "../../parts/identity";
import { listenOnKeptPort } from "../../parts/ports";
import type { Workshop } from "../../parts/workshop";
import type { AccessControl } from "../access";

/** Resource of the tokens that Azure ML's endpoints take. */
const modelAudience = "https://ml.azure.com";

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
    /** ARM id of the endpoint: the scope that the caller's role must cover. */
    readonly endpointId: string;
    /** Answers an authorised request; `deployment` is that of the `azureml-model-deployment` header. */
    readonly answer: (request: GateRequest) => Promise<GateAnswer>;
}

export interface GateRequest {
    readonly method: string;
    readonly path: string;
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
        await authorise(options, request.headers.authorization);
        answer = await options.answer({
            method: request.method ?? "GET",
            path: (request.url ?? "/").split("?")[0] ?? "/",
            deployment: request.headers["azureml-model-deployment"]?.toString(),
            body,
        });
    } catch (error) {
        const status = error instanceof GateError ? error.status : 500;
        const message = error instanceof Error ? error.message : String(error);
        answer = { status, contentType: "application/json", body: JSON.stringify({ error: { code: status, message } }) };
    }
    if (!response.destroyed) {
        response.writeHead(answer.status, { "content-type": answer.contentType });
        response.end(answer.body);
    }
}

async function authorise(options: GateOptions, authorization: string | undefined): Promise<void> {
    let principalId: string;
    try {
        ({ principalId } = await options.identity.verify((authorization ?? "").replace(/^Bearer /, ""), modelAudience));
    } catch (error) {
        throw new GateError(401, `Please provide an authorization token for ${modelAudience}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (!options.access.allows(principalId, "models/score", options.endpointId)) {
        throw new GateError(403, `principal ${principalId} may not score on ${options.endpointId}: it has no role there such as AzureML Data Scientist`);
    }
}
