import { writeFileSync, renameSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Serves on a free port, and writes the address to the file that the process was given. */
export function listen(answer: (request: IncomingMessage, body: Buffer) => Promise<string | Uint8Array>): void {
    const server = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
            answer(request, chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).then(
                (answered) => send(response, 200, answered),
                (error: unknown) => {
                    console.error(error);
                    send(response, 500, "{}");
                },
            );
        });
    });
    server.listen(0, "127.0.0.1", () => {
        const file = process.argv[2] as string;
        writeFileSync(`${file}.part`, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
        renameSync(`${file}.part`, file);
    });
}

function send(response: ServerResponse, status: number, body: string | Uint8Array): void {
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
}
