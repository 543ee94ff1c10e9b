import { createServer, request as httpsRequest } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { QueueServiceClient, type StorageSharedKeyCredential } from "@azure/storage-queue";
import { poisonSuffix, queues } from "../../functions/contracts";
import { loopback } from "../../local/parts/ports";
import type { Workshop } from "../../local/parts/workshop";

/** A message that a handler sent. */
export interface SentMessage {
    readonly queue: string;
    /** Decoded. */
    readonly message: unknown;
}

/** The queues of the lake account, as far as handlers send to them. */
export interface LakeQueues {
    readonly endpoint: string;
    /** Takes the messages that were sent since the last call, in their order. */
    take(): SentMessage[];
}

/**
 * Stands before the queues of an Azurite, and knows what they took before the sender does. A message is there at once, however long it was to
 * wait: time passes on the workers' clock alone.
 *
 * @param upstream endpoint of Azurite, with the account in its path
 */
export async function startQueues(workshop: Workshop, upstream: string, key: StorageSharedKeyCredential): Promise<LakeQueues> {
    const service = new QueueServiceClient(upstream, key);
    const names = Object.values(queues).flatMap((name) => [name, `${name}${poisonSuffix}`]);
    await Promise.all(names.map((name) => service.getQueueClient(name).create()));

    const { hostname, port, pathname } = new URL(upstream);
    const sent: SentMessage[] = [];
    async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const body = Buffer.concat((await request.toArray()) as Buffer[]);
        const target = new URL(request.url ?? "/", upstream);
        target.searchParams.delete("visibilitytimeout");
        const { method = "GET", headers } = request;
        const forwarded = httpsRequest({ host: hostname, port, method, path: `${target.pathname}${target.search}`, headers }, (answer) => {
            const [, queue] = /\/([^/]+)\/messages$/u.exec(target.pathname) ?? [];
            if (method === "POST" && queue !== undefined && answer.statusCode === 201) {
                sent.push({ queue, message: messageIn(body.toString("utf8")) });
            }
            response.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(response);
        });
        forwarded.on("error", () => response.destroy());
        forwarded.end(body);
    }

    const { cert, key: privateKey } = workshop.certificate;
    const server = createServer({ cert, key: privateKey }, (request, response) => {
        serve(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
    workshop.onStop(async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
    });
    return {
        endpoint: `https://${loopback}:${(server.address() as AddressInfo).port}${pathname}`,
        take: () => sent.splice(0),
    };
}

function messageIn(body: string): unknown {
    const [, text = ""] = /<MessageText>(.*)<\/MessageText>/su.exec(body) ?? [];
    return JSON.parse(Buffer.from(text, "base64").toString("utf8"));
}
