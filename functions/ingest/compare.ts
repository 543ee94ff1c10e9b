import type { Lake, LakeBlob } from "../clients/lake";
import type { SourceBucket, SourceObject } from "../clients/source-bucket";
import { containers } from "../contracts";

/** Metadata of a copied blob: the version of the object that it is a copy of. */
export const copyMetadata = { etag: "sourceetag", size: "sourcesize" } as const;

/** An object of the source with what the lake's listing showed under its name. */
export interface Pair {
    readonly object: SourceObject;
    /** The blob of that name. */
    readonly blob: LakeBlob | undefined;
    /** Whether there is none for certain. Without a blob and this, the listing has not shown one, and may have it elsewhere. */
    readonly absent: boolean;
    /** Whether both sides have listed in the order of the names' bytes so far. */
    readonly ordered: boolean;
}

/**
 * Walks both listings in step, in constant memory: both services list in the order of the names' bytes. Should one not, its blobs are
 * passed by, and that costs a question to the lake for each object and nothing else.
 */
export async function* pairs(source: SourceBucket, lake: Lake, signal?: AbortSignal): AsyncGenerator<Pair> {
    const objects = inOrder(source.list(signal), ({ key }) => key);
    const blobs = inOrder(lake.list(containers.logs, source.prefix, signal), ({ path }) => path);
    // Both first pages at once.
    let [object, blob] = await Promise.all([objects.next(), blobs.next()]);
    for (; object !== undefined; object = await objects.next()) {
        const key = Buffer.from(object.key);
        while (blob !== undefined && Buffer.compare(Buffer.from(blob.path), key) < 0) {
            blob = await blobs.next();
        }
        const ordered = objects.ordered && blobs.ordered;
        const found = blob?.path === object.key ? blob : undefined;
        yield { object, blob: found, absent: blob === undefined && ordered, ordered };
    }
}

/** What the lake has under the object's name, and whether it is a copy of this very version. */
export async function findCopy(lake: Lake, { object, blob, absent }: Pair, signal?: AbortSignal): Promise<{ blob: LakeBlob | undefined; current: boolean }> {
    const copy = blob ?? (absent ? undefined : await lake.find(containers.logs, object.key, signal));
    return { blob: copy, current: copy !== undefined && isCopyOf(copy, object) };
}

/** Whether a blob is a copy of this version. */
export function isCopyOf(blob: LakeBlob, object: SourceObject): boolean {
    return (
        blob.size === object.size &&
        blob.metadata[copyMetadata.etag] === object.etag &&
        blob.metadata[copyMetadata.size] === String(object.size)
    );
}

/** Steps through a listing and watches whether its names come in the order of their UTF-8 bytes. */
function inOrder<T>(listing: AsyncIterable<T>, nameOf: (entry: T) => string) {
    const iterator = listing[Symbol.asyncIterator]();
    let last = Buffer.alloc(0);
    const steps = {
        ordered: true,
        async next(): Promise<T | undefined> {
            const next = await iterator.next();
            if (next.done) {
                return undefined;
            }
            const name = Buffer.from(nameOf(next.value));
            steps.ordered &&= Buffer.compare(last, name) <= 0;
            last = name;
            return next.value;
        },
    };
    return steps;
}
