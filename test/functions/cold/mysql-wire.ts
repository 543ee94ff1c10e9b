import net, { type AddressInfo } from "node:net";
import tls from "node:tls";

/**
 * The opening of a MySQL server that authenticates as RDS does with IAM: TLS, then a switch to `mysql_clear_password`. After that it
 * says OK to every statement. It exists because no MySQL server to be had here has the RDS plugin.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 */
export interface WireServer {
    readonly port: number;
    /** What each connection gave as its clear-text password, without the closing zero. */
    readonly passwords: string[];
    /** A file of the client's that the server asks for in answer to the statements that have this word. @default none */
    asks: { readonly on: string; readonly file: string } | undefined;
    /** What came after that, without headers of packets; an empty packet ends it. */
    readonly uploaded: Buffer[];
    /** Connections that are open. */
    readonly open: number;
    stop(): Promise<void>;
}

const capabilities = {
    longPassword: 1 << 0,
    localFiles: 1 << 7,
    connectWithDb: 1 << 3,
    protocol41: 1 << 9,
    ssl: 1 << 11,
    transactions: 1 << 13,
    secureConnection: 1 << 15,
    pluginAuth: 1 << 19,
} as const;

const tlsRequestBytes = 36;

/** @param certificate for TLS; without one the server offers none. */
export async function startWireServer(certificate?: { readonly key: string; readonly cert: string }): Promise<WireServer> {
    const passwords: string[] = [];
    const uploaded: Buffer[] = [];
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        socket.on("error", () => undefined);
        socket.write(packet(0, handshake(certificate !== undefined)));
        socket.once("readable", () => {
            if (certificate === undefined || socket.read(tlsRequestBytes) === null) {
                return;
            }
            // What may have come with it belongs to TLS already, and is taken from the socket's buffer.
            const secure = new tls.TLSSocket(socket, { isServer: true, ...certificate });
            secure.on("error", () => undefined);
            let step = 0;
            let uploading = false;
            secure.on("data", (data: Buffer) => {
                for (const { sequence, payload } of packets(data)) {
                    if (step === 0) {
                        secure.write(packet(sequence + 1, Buffer.from("\xfemysql_clear_password\0", "latin1")));
                    } else if (uploading) {
                        uploaded.push(payload);
                        uploading = payload.length > 0;
                        if (!uploading) {
                            secure.write(packet(sequence + 1, ok));
                        }
                    } else if (front.asks !== undefined && payload.includes(front.asks.on)) {
                        uploading = true;
                        secure.write(packet(sequence + 1, Buffer.from(`\xfb${front.asks.file}`, "latin1")));
                    } else {
                        if (step === 1) {
                            passwords.push(payload.subarray(0, -1).toString("utf8"));
                        }
                        secure.write(packet(sequence + 1, ok));
                    }
                    step += 1;
                }
            });
        });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const front: WireServer = {
        port: (server.address() as AddressInfo).port,
        passwords,
        asks: undefined,
        uploaded,
        get open() {
            return sockets.size;
        },
        stop: () =>
            new Promise((resolve) => {
                sockets.forEach((socket) => socket.destroy());
                server.close(() => resolve());
            }),
    };
    return front;
}

const ok = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

function handshake(withTls: boolean): Buffer {
    const { ssl, ...others } = capabilities;
    const flags = Object.values(others).reduce((sum, flag) => sum | flag, withTls ? ssl : 0);
    const low = Buffer.alloc(2);
    low.writeUInt16LE(flags & 0xffff);
    const high = Buffer.alloc(2);
    high.writeUInt16LE(flags >>> 16);
    return Buffer.concat([
        Buffer.from("\x0a8.0.99-wire\0", "latin1"),
        Buffer.from([1, 0, 0, 0]),
        Buffer.from("12345678\0", "latin1"),
        low,
        Buffer.from([45]),
        Buffer.from([2, 0]),
        high,
        Buffer.from([21]),
        Buffer.alloc(10),
        Buffer.from("123456789012\0", "latin1"),
        Buffer.from("mysql_native_password\0", "latin1"),
    ]);
}

function packet(sequence: number, payload: Buffer): Buffer {
    const header = Buffer.alloc(4);
    header.writeUIntLE(payload.length, 0, 3);
    header.writeUInt8(sequence % 256, 3);
    return Buffer.concat([header, payload]);
}

/** Splits what came in one piece; these short packets never come in two. */
function* packets(data: Buffer): Generator<{ sequence: number; payload: Buffer }> {
    for (let at = 0; at < data.length; ) {
        const length = data.readUIntLE(at, 3);
        yield { sequence: data.readUInt8(at + 3), payload: data.subarray(at + 4, at + 4 + length) };
        at += 4 + length;
    }
}
