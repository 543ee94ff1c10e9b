import { containers } from "../contracts";
import type { Lake, LakeBlob } from "../clients/lake";
import type { SourceBucket, SourceObject } from "../clients/source-bucket";

/** Metadata of a copied blob: the version of the object that it is a copy of. */
export const copyMetadata = { etag: "sourceetag", size: "sourcesize" } as const;

/** An object of the source, and whether the lake has this very version of it. */
export interface Compared {
    readonly object: SourceObject;
    readonly copied: boolean;
}

/**
 * Walks both listings in step, in constant memory. Both services list in the order of the names' bytes; where they should not agree,
 * or where the lake has no such blob, one look at the blob itself decides, so that a different order costs requests and never a copy.
 */
export async function* compare(source: SourceBucket, lake: Lake): AsyncGenerator<Compared> {
    const blobs = lake.list(containers.logs, source.prefix)[Symbol.asyncIterator]();
    let blob = await nextOf(blobs);
    for await (const object of source.list()) {
        while (blob !== undefined && precedes(blob.path, object.key)) {
            blob = await nextOf(blobs);
        }
        const copy = blob?.path === object.key ? blob : await lake.find(containers.logs, object.key);
        yield { object, copied: copy !== undefined && isCopyOf(copy, object) };
    }
}

function isCopyOf(blob: LakeBlob, object: SourceObject): boolean {
    return (
        blob.size === object.size &&
        blob.metadata[copyMetadata.etag] === object.etag &&
        blob.metadata[copyMetadata.size] === String(object.size)
    );
}

/** Whether a name comes before another in the order of their UTF-8 bytes. */
function precedes(name: string, other: string): boolean {
    return Buffer.compare(Buffer.from(name), Buffer.from(other)) < 0;
}

async function nextOf<T>(iterator: AsyncIterator<T>): Promise<T | undefined> {
    const next = await iterator.next();
    return next.done ? undefined : next.value;
}
