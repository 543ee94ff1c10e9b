import type { Lake } from "../clients/lake";
import type { SourceBucket, SourceObject } from "../clients/source-bucket";
import { containers } from "../contracts";
import { copyMetadata } from "./compare";

/**
 * Copies one object to the lake under the same key: whole, and the version that was listed, or not at all.
 *
 * @param beforeWrite runs once the source has given the object and before anything changes in the lake.
 */
export async function copyObject(source: SourceBucket, lake: Lake, object: SourceObject, beforeWrite: () => Promise<void>): Promise<void> {
    const { body, metadata, ...properties } = await source.read(object.key, object.etag);
    try {
        await beforeWrite();
        await lake.upload(containers.logs, object.key, body, object.size, {
            ...properties,
            metadata: {
                ...blobMetadata(metadata),
                [copyMetadata.etag]: object.etag,
                [copyMetadata.size]: String(object.size),
            },
        });
    } finally {
        body.destroy();
    }
}

/**
 * User metadata as Blob Storage can keep it: names there are identifiers
 * (https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata), values travel as
 * header text. Other characters become `_` in names and are percent-encoded in values.
 */
export function blobMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
        Object.entries(metadata)
            .filter(([, value]) => value.trim() !== "")
            .map(([name, value]) => [
                name.toLowerCase().replace(/[^a-z0-9_]/gu, "_").replace(/^(?=[0-9])/u, "_"),
                /^[\x20-\x7e]*$/u.test(value) ? value : encodeURIComponent(value),
            ]),
    );
}
