import { type AddressInfo, createServer, connect, type Server, type Socket } from "node:net";

export interface ProxyTarget {
    readonly host: string;
    readonly port: number;
}

/** A TCP proxy before a server, so that a test can take the server away and bring it back under the same address. */
export class TcpProxy {
    private readonly sockets = new Set<Socket>();
    private readonly joined = new Set<Socket>();
    private mode: "open" | "closed" | "hanging" = "open";
    private delayMs = 0;
    private cutting = false;

    private constructor(
        private readonly server: Server,
        readonly port: number,
        private target: ProxyTarget,
    ) {}

    static async start(target: ProxyTarget): Promise<TcpProxy> {
        const server = createServer({ noDelay: true });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const proxy = new TcpProxy(server, (server.address() as AddressInfo).port, target);
        server.on("connection", (client) => proxy.join(client));
        return proxy;
    }

    /** How many clients are connected. */
    get clients(): number {
        return this.joined.size;
    }

    /** Lets connections through, without delay. */
    open(): void {
        this.mode = "open";
        this.delayMs = 0;
        this.cutting = false;
        for (const socket of this.sockets) {
            socket.resume();
        }
    }

    /** Resets all connections, and each new one. */
    close(): void {
        this.mode = "closed";
        this.reset();
    }

    /** Keeps connections up and passes nothing on. */
    hang(): void {
        this.mode = "hanging";
        for (const socket of this.sockets) {
            socket.pause();
        }
    }

    /** Passes everything on this much later, and in order. */
    slow(milliseconds: number): void {
        this.delayMs = milliseconds;
    }

    /** Goes down, as `close` does, in the middle of the next request: when its first bytes have come. */
    cutNextRequest(): void {
        this.cutting = true;
    }

    /** Resets the connections that there are; new ones get through. */
    reset(): void {
        for (const socket of this.sockets) {
            socket.resetAndDestroy();
        }
    }

    /** Leads to another server from here on. */
    lead(target: ProxyTarget): void {
        this.target = target;
        this.reset();
    }

    async stop(): Promise<void> {
        this.close();
        await new Promise((resolve) => this.server.close(resolve));
    }

    private join(client: Socket): void {
        if (this.mode === "closed") {
            client.resetAndDestroy();
            return;
        }
        this.joined.add(client);
        client.on("close", () => this.joined.delete(client));
        const server = connect({ host: this.target.host, port: this.target.port, noDelay: true });
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
            from.on("data", (chunk) => {
                if (this.cutting && from === client) {
                    this.cutting = false;
                    this.close();
                } else if (this.delayMs === 0) {
                    to.write(chunk);
                } else {
                    setTimeout(() => to.write(chunk), this.delayMs);
                }
            });
            if (this.mode === "hanging") {
                from.pause();
            }
        }
    }
}
