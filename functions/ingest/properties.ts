import type { BlobProperties } from "../clients/lake-draft";
import type { SourceObject } from "../clients/source-bucket";
import type { SourceDetails } from "../clients/source-details";
import { copyMetadata } from "./compare";

/** What a copy keeps of its object, and of which version it is a copy. */
export function copyProperties(details: SourceDetails, { etag, size }: SourceObject): BlobProperties {
    const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, metadata } = details;
    return {
        contentType,
        contentEncoding,
        contentLanguage,
        contentDisposition,
        cacheControl,
        metadata: { ...blobMetadata(metadata), [copyMetadata.etag]: etag, [copyMetadata.size]: String(size) },
    };
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
