import { type AddressInfo, createServer, connect, type Server, type Socket } from "node:net";

/** A TCP proxy before a server, so that a test can take the server away and bring it back under the same address. */
export class TcpProxy {
    private readonly sockets = new Set<Socket>();
    private mode: "open" | "closed" | "hanging" = "open";

    private constructor(
        private readonly server: Server,
        readonly port: number,
    ) {}

    static async start(target: { host: string; port: number }): Promise<TcpProxy> {
        const server = createServer({ noDelay: true });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const proxy = new TcpProxy(server, (server.address() as AddressInfo).port);
        server.on("connection", (client) => proxy.join(client, target));
        return proxy;
    }

    /** Lets connections through. */
    open(): void {
        this.mode = "open";
        for (const socket of this.sockets) {
            socket.resume();
        }
    }

    /** Resets all connections, and each new one. */
    close(): void {
        this.mode = "closed";
        for (const socket of this.sockets) {
            socket.resetAndDestroy();
        }
    }

    /** Keeps connections up and passes nothing on. */
    hang(): void {
        this.mode = "hanging";
        for (const socket of this.sockets) {
            socket.pause();
        }
    }

    async stop(): Promise<void> {
        this.close();
        await new Promise((resolve) => this.server.close(resolve));
    }

    private join(client: Socket, target: { host: string; port: number }): void {
        if (this.mode === "closed") {
            client.resetAndDestroy();
            return;
        }
        const server = connect({ host: target.host, port: target.port, noDelay: true });
        for (const [from, to] of [
            [client, server],
            [server, client],
        ] as const) {
            this.sockets.add(from);
            from.on("error", () => to.destroy());
            from.on("close", () => {
                this.sockets.delete(from);
                to.destroy();
            });
            from.on("data", (chunk) => to.write(chunk));
            if (this.mode === "hanging") {
                from.pause();
            }
        }
    }
}
