import type { Readable } from "node:stream";
import { BlobServiceClient, RestError, type BlockBlobUploadOptions } from "@azure/storage-blob";
import type { TokenCredential } from "@azure/identity";
import { containers } from "../contracts";
import { plainEtag } from "../events/blob-created";
import type { Settings } from "../settings";
import { BlobNameError, LakeError } from "./lake-errors";
import { uploadWhole } from "./lake-upload";

/** A blob of the lake. */
export interface LakeBlob {
    /** Name in its container, not encoded. */
    readonly path: string;
    /** ETag without quotes. */
    readonly etag: string;
    /** Bytes. */
    readonly size: number;
    /** Names in lower case. */
    readonly metadata: Readonly<Record<string, string>>;
}

/** What is kept beside a blob's content. */
export interface BlobProperties {
    readonly contentType?: string | undefined;
    readonly contentEncoding?: string | undefined;
    readonly contentLanguage?: string | undefined;
    readonly contentDisposition?: string | undefined;
    readonly cacheControl?: string | undefined;
    /** Names are identifiers, values printable ASCII. */
    readonly metadata?: Record<string, string> | undefined;
}

/** When a text is written: only where no blob is yet, or only over the version that was read. */
export type WriteCondition = { readonly absent: true } | { readonly etag: string };

/** The storage account of the player data. Methods fail with a LakeError that says whether a repetition can help. */
export interface Lake {
    /** The blobs under a prefix in the service's order, page by page. */
    list(container: string, prefix: string): AsyncIterable<LakeBlob>;
    /** One blob's state, or undefined when there is none. */
    find(container: string, path: string): Promise<LakeBlob | undefined>;
    /** Opens one version of a blob: fails with status 412 or 404 when it was overwritten since or is gone. */
    download(container: string, path: string, etag: string): Promise<Readable>;
    /**
     * Writes a blob from a stream. It appears under its name only when every byte has arrived; otherwise nothing changes there.
     *
     * @throws SizeMismatchError when the stream does not have exactly `size` bytes.
     */
    upload(container: string, path: string, body: Readable, size: number, properties: BlobProperties): Promise<void>;
    /** Deletes a blob if it is there. */
    remove(container: string, path: string): Promise<void>;
    /** Starts an empty blob that `append` adds to; one that is there is replaced. */
    createAppendable(container: string, path: string, contentType: string): Promise<void>;
    append(container: string, path: string, text: string): Promise<void>;
    /** A small text with the ETag of its version, or undefined when there is none. */
    readText(container: string, path: string): Promise<{ readonly text: string; readonly etag: string } | undefined>;
    /** Writes a small text and gives its new ETag, or undefined when the condition did not hold. */
    writeText(container: string, path: string, text: string, condition: WriteCondition): Promise<string | undefined>;
    /** Writes the empty marker that completes a folder; a new ETag each time. */
    writeMarker(container: string, path: string): Promise<void>;
    /** URL of a container, for those who read it by themselves. */
    containerUrl(container: string): string;
    /** Fails when the container of the logs cannot be listed. */
    ping(): Promise<void>;
}

/** Connects to the lake with the handlers' identity. */
export function createLake(settings: Pick<Settings, "Lake__blobServiceUri">, credential: TokenCredential): Lake {
    const service = new BlobServiceClient(settings.Lake__blobServiceUri, credential, {
        retryOptions: { maxTries: 4, retryDelayInMs: 500, maxRetryDelayInMs: 8_000 },
    });

    function blobAt(container: string, path: string) {
        // A URL swallows these segments: the blob would land elsewhere, even in another container.
        if (path.split("/").some((segment) => segment === "." || segment === "..")) {
            throw new BlobNameError(path, "has a segment of dots");
        }
        return service.getContainerClient(container).getBlobClient(path);
    }

    /** Runs a call; `unless` gives the answer for statuses that are no failure. */
    async function call<T>(action: string, run: () => Promise<T>, unless: readonly number[] = []): Promise<T | undefined> {
        try {
            return await run();
        } catch (error) {
            if (error instanceof LakeError) {
                throw error;
            }
            const status = error instanceof RestError ? error.statusCode : undefined;
            if (status !== undefined && unless.includes(status)) {
                return undefined;
            }
            throw new LakeError(`could not ${action} at ${settings.Lake__blobServiceUri}`, status, { cause: error });
        }
    }

    async function done<T>(action: string, run: () => Promise<T>): Promise<T> {
        return (await call(action, run)) as T;
    }

    return {
        async *list(container, prefix) {
            const pages = service.getContainerClient(container).listBlobsFlat({ prefix, includeMetadata: true });
            for (;;) {
                const next = await done(`list ${container}/${prefix}`, () => pages.next());
                if (next.done) {
                    return;
                }
                const { name, properties, metadata } = next.value;
                yield {
                    path: name,
                    etag: plainEtag(properties.etag),
                    size: properties.contentLength ?? 0,
                    metadata: lowerCased(metadata),
                };
            }
        },

        async find(container, path) {
            const found = await call(`find ${container}/${path}`, () => blobAt(container, path).getProperties(), [404]);
            return (
                found && {
                    path,
                    etag: plainEtag(found.etag ?? ""),
                    size: found.contentLength ?? 0,
                    metadata: lowerCased(found.metadata),
                }
            );
        },

        async download(container, path, etag) {
            const got = await done(`read ${container}/${path}`, () =>
                blobAt(container, path).download(0, undefined, { conditions: { ifMatch: `"${etag}"` }, maxRetryRequests: 5 }),
            );
            return got.readableStreamBody as Readable;
        },

        async upload(container, path, body, size, { metadata, ...headers }) {
            const options: BlockBlobUploadOptions = { blobHTTPHeaders: httpHeaders(headers), ...(metadata && { metadata }) };
            await done(`write ${container}/${path}`, () =>
                uploadWhole(blobAt(container, path).getBlockBlobClient(), body, size, options),
            );
        },

        async remove(container, path) {
            await call(`delete ${container}/${path}`, () => blobAt(container, path).delete(), [404]);
        },

        async createAppendable(container, path, contentType) {
            await done(`start ${container}/${path}`, () =>
                blobAt(container, path).getAppendBlobClient().create({ blobHTTPHeaders: { blobContentType: contentType } }),
            );
        },

        async append(container, path, text) {
            const client = blobAt(container, path).getAppendBlobClient();
            await done(`append to ${container}/${path}`, () => client.appendBlock(text, Buffer.byteLength(text)));
        },

        async readText(container, path) {
            const got = await call(`read ${container}/${path}`, () => blobAt(container, path).download(), [404]);
            if (got === undefined) {
                return undefined;
            }
            const chunks = await done(`read ${container}/${path}`, () => (got.readableStreamBody as Readable).toArray());
            return { text: Buffer.concat(chunks as Buffer[]).toString("utf8"), etag: plainEtag(got.etag ?? "") };
        },

        async writeText(container, path, text, condition) {
            const conditions = "absent" in condition ? { ifNoneMatch: "*" } : { ifMatch: `"${condition.etag}"` };
            const client = blobAt(container, path).getBlockBlobClient();
            const options = { conditions, blobHTTPHeaders: { blobContentType: "application/json" } };
            // 409: the blob is there; 412: it is another version.
            const run = () => client.upload(text, Buffer.byteLength(text), options);
            const written = await call(`write ${container}/${path}`, run, [409, 412]);
            return written && plainEtag(written.etag ?? "");
        },

        async writeMarker(container, path) {
            await done(`write ${container}/${path}`, () => blobAt(container, path).getBlockBlobClient().upload("", 0));
        },

        containerUrl(container) {
            return service.getContainerClient(container).url;
        },

        async ping() {
            const pages = service.getContainerClient(containers.logs).listBlobsFlat().byPage({ maxPageSize: 1 });
            await done(`list ${containers.logs}`, () => pages.next());
        },
    };
}

function lowerCased(metadata: Record<string, string> = {}): Record<string, string> {
    return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
}

function httpHeaders(properties: Omit<BlobProperties, "metadata">): BlockBlobUploadOptions["blobHTTPHeaders"] {
    const named = {
        blobContentType: properties.contentType,
        blobContentEncoding: properties.contentEncoding,
        blobContentLanguage: properties.contentLanguage,
        blobContentDisposition: properties.contentDisposition,
        blobCacheControl: properties.cacheControl,
    };
    return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}
