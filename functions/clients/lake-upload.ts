import { Readable } from "node:stream";
import type { BlockBlobClient, BlockBlobUploadOptions } from "@azure/storage-blob";
import { SizeMismatchError } from "./lake-errors";

const mebibyte = 1024 * 1024;
/** Up to this size a blob goes in one request, from memory. */
const singlePutBytes = 4 * mebibyte;
/** Blocks of one blob that are in memory at a time. */
const blocksInFlight = 4;
/** https://learn.microsoft.com/rest/api/storageservices/understanding-block-blobs--append-blobs--and-page-blobs */
const maxBlocks = 50_000;

/**
 * Uploads a stream of a known size. Blocks are committed only after the stream has ended with exactly that size.
 *
 * @throws SizeMismatchError otherwise; the blob is then as it was.
 */
export async function uploadWhole(client: BlockBlobClient, body: Readable, size: number, options: BlockBlobUploadOptions): Promise<void> {
    const content = Readable.from(exactly(body, size), { objectMode: false });
    if (size <= singlePutBytes) {
        await client.upload(Buffer.concat((await content.toArray()) as Buffer[]), size, options);
        return;
    }
    await client.uploadStream(content, Math.max(singlePutBytes, Math.ceil(size / maxBlocks)), blocksInFlight, options);
}

/** The stream's chunks; fails instead of ending when they are not `size` bytes together. */
async function* exactly(body: Readable, size: number): AsyncGenerator<Buffer> {
    let arrived = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
        arrived += chunk.length;
        if (arrived > size) {
            break;
        }
        yield chunk;
    }
    if (arrived !== size) {
        throw new SizeMismatchError(size, arrived);
    }
}
