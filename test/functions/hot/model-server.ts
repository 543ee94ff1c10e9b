import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { ModelPlayer } from "../../../functions/clients/online-endpoint-protocol";
import { modelVersion } from "./predictions";

/** What a server answers to one call. */
export interface Reply {
    readonly status?: number;
    readonly headers?: Record<string, string>;
    readonly body?: string;
    /** `reset` ends the connection instead of answering, `hang` never answers. */
    readonly fault?: "reset" | "hang";
}

/** One call as it arrived. */
export interface Call {
    readonly headers: IncomingHttpHeaders;
    readonly players: readonly ModelPlayer[];
    /** The caller's port: the same for calls over one connection. */
    readonly port: number | undefined;
}

/** An HTTP server in the place of the online endpoint, whose answers a test chooses. */
export class ModelServer {
    readonly calls: Call[] = [];
    /** Answers in the order of the calls; when they are used up the model answers as it should. */
    readonly replies: Reply[] = [];
    /** Answers every call for which no reply is set. */
    always: ((players: readonly ModelPlayer[]) => Reply) | undefined;

    /** Answers wait for it. */
    hold: Promise<void> = Promise.resolve();

    private constructor(
        private readonly server: Server,
        readonly url: string,
    ) {}

    static async start(): Promise<ModelServer> {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as AddressInfo;
        const model = new ModelServer(server, `http://127.0.0.1:${port}/score`);
        server.on("request", (request, response) => {
            void text(request).then(async (body) => {
                const { players } = JSON.parse(body) as { players: ModelPlayer[] };
                model.calls.push({ headers: request.headers, players, port: request.socket.remotePort });
                await model.hold;
                const reply = model.replies.shift() ?? model.always?.(players) ?? { body: modelAnswer(players) };
                if (reply.fault === "reset") {
                    request.socket.destroy();
                } else if (reply.fault === undefined) {
                    response.writeHead(reply.status ?? 200, { "content-type": "application/json", ...reply.headers });
                    response.end(reply.body ?? "");
                }
            });
        });
        return model;
    }

    /** Forgets calls and replies. */
    reset(): void {
        this.calls.length = 0;
        this.replies.length = 0;
        this.always = undefined;
        this.hold = Promise.resolve();
    }

    async stop(): Promise<void> {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }
}

/** What the model answers: scores that follow from the player's age, and an error for players named `bad-...`. */
export function modelAnswer(players: readonly ModelPlayer[], version = modelVersion): string {
    const refused = players.filter(({ playerId }) => playerId.startsWith("bad-"));
    return JSON.stringify({
        modelVersion: version,
        predictions: players.filter((player) => !refused.includes(player)).map(modelPrediction),
        errors: refused.map(({ playerId }) => ({ playerId, code: "invalid_features", message: "country is not on the map" })),
    });
}

function modelPrediction({ playerId, features }: ModelPlayer) {
    const probability = Math.round((1e6 * Math.min(99, Number(features["age"]))) / 100) / 1e6;
    return {
        playerId,
        churn: { label: probability >= 0.5, probability },
        purchase: { label: false, probability: 0.046651 },
        segment: { id: 1, name: "newcomers" },
    };
}
