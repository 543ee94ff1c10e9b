import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { ModelPlayer } from "../../functions/clients/online-endpoint-protocol";
import { modelAnswer } from "../functions/hot/model-server";

/** How a call is answered. */
export type Script = (response: ServerResponse, players: readonly ModelPlayer[]) => void | Promise<void>;

/** Answers as it should. */
export const healthy: Script = (response, players) => {
    send(response, 200, modelAnswer(players));
};

export function answering(status: number, body: string, headers: Record<string, string> = {}): Script {
    return (response) => {
        send(response, status, body, headers);
    };
}

/** Answers as it should, but with a changed text. */
export function changing(change: (answer: string) => string): Script {
    return (response, players) => {
        send(response, 200, change(modelAnswer(players)));
    };
}

export const hanging: Script = () => undefined;

export const resetting: Script = (response) => {
    response.socket?.resetAndDestroy();
};

/** Begins its answer and sends a byte of it now and then, for longer than anybody waits. */
export const trickling: Script = async (response, players) => {
    response.writeHead(200, { "content-type": "application/json" });
    for (const letter of modelAnswer(players)) {
        if (response.destroyed) {
            return;
        }
        response.write(letter);
        await sleep(100, undefined, { ref: false });
    }
    response.end();
};

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
}

/** An HTTP server in the place of the online endpoint, with as many connections as its callers want. */
export class ScriptedModel {
    script: Script = healthy;
    /** Calls that have come whole. */
    calls = 0;
    /** Calls under way, and the most that ever were. */
    inFlight = 0;
    mostInFlight = 0;
    readonly #sockets = new Set<Socket>();

    private constructor(
        private readonly server: Server,
        readonly port: number,
    ) {}

    static async start(): Promise<ScriptedModel> {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const model = new ScriptedModel(server, (server.address() as AddressInfo).port);
        server.on("connection", (socket) => {
            model.#sockets.add(socket);
            socket.once("close", () => model.#sockets.delete(socket));
        });
        server.on("request", (request, response) => {
            text(request).then(
                (body) => model.#answer(body, response),
                // The caller left before its request was whole.
                () => undefined,
            );
        });
        return model;
    }

    get url(): string {
        return `http://127.0.0.1:${this.port}/score`;
    }

    /** How many clients are connected. */
    get clients(): number {
        return this.#sockets.size;
    }

    reset(): void {
        this.script = healthy;
        this.calls = 0;
        this.mostInFlight = 0;
    }

    async stop(): Promise<void> {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }

    async #answer(body: string, response: ServerResponse): Promise<void> {
        const { players } = JSON.parse(body) as { players: ModelPlayer[] };
        this.calls += 1;
        this.inFlight += 1;
        this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
        response.once("close", () => (this.inFlight -= 1));
        await this.script(response, players);
    }
}
