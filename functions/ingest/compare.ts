import { containers } from "../contracts";
import type { Lake, LakeBlob } from "../clients/lake";
import type { SourceBucket, SourceObject } from "../clients/source-bucket";

/** Metadata of a copied blob: the version of the object that it is a copy of. */
export const copyMetadata = { etag: "sourceetag", size: "sourcesize" } as const;

/** An object of the source with the blob of its name, if the lake's listing showed one at its place. */
export interface Pair {
    readonly object: SourceObject;
    readonly blob: LakeBlob | undefined;
}

/**
 * Walks both listings in step, in constant memory: both services list in the order of the names' bytes. Should they not agree on a
 * name, its blob is passed by, so that a pair without a blob says "not seen" and not "not there".
 */
export async function* pairs(source: SourceBucket, lake: Lake): AsyncGenerator<Pair> {
    const blobs = lake.list(containers.logs, source.prefix)[Symbol.asyncIterator]();
    let blob = await nextOf(blobs);
    for await (const object of source.list()) {
        while (blob !== undefined && precedes(blob.path, object.key)) {
            blob = await nextOf(blobs);
        }
        yield { object, blob: blob?.path === object.key ? blob : undefined };
    }
}

/** Whether the lake has this very version of the object; a blob that the listing did not show is asked for, which no order can fool. */
export async function isCopied(lake: Lake, { object, blob }: Pair): Promise<boolean> {
    const copy = blob ?? (await lake.find(containers.logs, object.key));
    return (
        copy?.size === object.size &&
        copy.metadata[copyMetadata.etag] === object.etag &&
        copy.metadata[copyMetadata.size] === String(object.size)
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
