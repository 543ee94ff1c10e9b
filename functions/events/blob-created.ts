import { randomUUID } from "node:crypto";
import * as z from "zod";

/**
 * A blob was written: what the queue-triggered handlers need of Event Grid's BlobCreated event
 * (https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage).
 */
export interface BlobCreated {
    readonly container: string;
    /** Name of the blob in its container, not encoded. */
    readonly path: string;
    /** ETag of the blob that was written, without quotes: the form of `plainEtag`. */
    readonly etag: string;
}

/** The message is not one of the events that the queue's subscription lets through: repeating it cannot help. */
export class MessageError extends Error {
    override readonly name = "MessageError";
    readonly retryable = false;
}

const schema = z.object({
    eventType: z.literal("Microsoft.Storage.BlobCreated"),
    // Event Grid writes the blob's name here as it is; in `data.url` it is encoded, and an emulator puts the account before it.
    subject: z.string().regex(/^\/blobServices\/default\/containers\/[^/]+\/blobs\/./su),
    data: z.object({
        // The calls after which a block blob is whole. One blob raises several events; the subscription lets these through.
        api: z.enum(["PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose"]),
        eTag: z.string().min(1),
    }),
});

/** The message that Event Grid would send of a blob, for a handler to queue by itself. `more` goes with it; readers pass over it. */
export function blobCreatedMessage({ container, path, etag }: BlobCreated, containerUrl: string, now: Date, more: object = {}): object {
    return {
        topic: new URL(containerUrl).origin,
        subject: `/blobServices/default/containers/${container}/blobs/${path}`,
        eventType: "Microsoft.Storage.BlobCreated",
        id: randomUUID(),
        data: { api: "PutBlob", eTag: etag, blobType: "BlockBlob", url: `${containerUrl}/${path.split("/").map(encodeURIComponent).join("/")}` },
        dataVersion: "",
        metadataVersion: "1",
        eventTime: now.toISOString(),
        ...more,
    };
}

/** An ETag without its quotes: Event Grid gives it bare, HTTP headers quoted. */
export function plainEtag(etag: string): string {
    return etag.replace(/^(?:W\/)?"(.*)"$/u, "$1");
}

/**
 * Reads a queue message, which the host has decoded from base64 and JSON.
 *
 * @throws MessageError when the message is anything else than the BlobCreated event of a whole blob.
 */
export function parseBlobCreated(message: unknown): BlobCreated {
    const parsed = schema.safeParse(message);
    if (!parsed.success) {
        const [issue] = parsed.error.issues;
        const place = issue?.path.join(".");
        const shown = JSON.stringify(message)?.slice(0, 500);
        throw new MessageError(`queue message is no BlobCreated event (${place ? `${place}: ` : ""}${issue?.message}): ${shown}`);
    }
    const [, , , , container = "", , ...segments] = parsed.data.subject.split("/");
    const path = segments.join("/");
    // Event Grid damages characters outside the basic plane (https://github.com/Azure-Samples/azure-event-grid-viewer/issues/9):
    // such a name finds no blob, and looking for it in vain would pass for "deleted since".
    if (path.includes("\uFFFD")) {
        throw new MessageError(`blob name in the event's subject is damaged: ${parsed.data.subject}; rename the blob without emoji`);
    }
    return { container, path, etag: plainEtag(parsed.data.data.eTag) };
}
