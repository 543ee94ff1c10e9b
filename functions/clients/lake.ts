import type { Readable } from "node:stream";
import { BlobServiceClient, RestError } from "@azure/storage-blob";
import type { TokenCredential } from "@azure/identity";
import { containers } from "../contracts";
import { plainEtag } from "../events/blob-created";
import { readAhead } from "../read-ahead";
import type { Settings } from "../settings";
import { type BlobDraft, createDraft, type DraftTerms } from "./lake-draft";
import { BlobNameError, LakeError } from "./lake-errors";
import { acquireLease, type LakeLease } from "./lake-lease";
import { storageRetries } from "./storage-retries";

/** Blobs of a page of a listing, of the 5,000 that the service would give: taking a page apart keeps the process from everything else, and its memory. */
const pageSize = 1_000;

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

/** When a text is written: only where no blob is yet, or only over the version that was read. */
export type WriteCondition = { readonly absent: true } | { readonly etag: string };

/** The storage account of the player data. Methods fail with a LakeError that says whether a repetition can help. */
export interface Lake {
    /** The blobs under a prefix in the service's order, page by page. */
    list(container: string, prefix: string, signal?: AbortSignal): AsyncIterable<LakeBlob>;
    /** One blob's state, or undefined when there is none. */
    find(container: string, path: string, signal?: AbortSignal): Promise<LakeBlob | undefined>;
    /** Opens one version of a blob: fails with status 412 or 404 when it was overwritten since or is gone. */
    download(container: string, path: string, etag: string): Promise<Readable>;
    /** Starts to write a blob: nothing changes under its name before the draft is put or committed. */
    draft(container: string, path: string, terms: DraftTerms): BlobDraft;
    /** Deletes a blob if it is there. */
    remove(container: string, path: string, signal?: AbortSignal): Promise<void>;
    /**
     * Takes the lease of a blob, which is made if it is not there.
     *
     * @param seconds for how long it is held without being renewed: 15 to 60
     * @returns undefined when somebody else holds it
     */
    lease(container: string, path: string, seconds: number): Promise<LakeLease | undefined>;
    /** Starts an empty blob that `append` adds to; one that is there is replaced. */
    createAppendable(container: string, path: string, contentType: string): Promise<void>;
    append(container: string, path: string, text: string): Promise<void>;
    /** A small text with the ETag of its version, or undefined when there is none. */
    readText(container: string, path: string): Promise<{ readonly text: string; readonly etag: string } | undefined>;
    /** Writes a small text and gives its new ETag, or undefined when the condition did not hold. Metadata is ASCII. */
    writeText(
        container: string,
        path: string,
        text: string,
        condition: WriteCondition,
        metadata?: Record<string, string>,
    ): Promise<string | undefined>;
    /** Writes the empty marker that completes a folder; a new ETag each time. */
    writeMarker(container: string, path: string, signal?: AbortSignal): Promise<void>;
    /** URL of a container, for those who read it by themselves. */
    containerUrl(container: string): string;
    /** Fails when the container of the logs cannot be listed. */
    ping(): Promise<void>;
}

/** Connects to the lake with the handlers' identity. */
export function createLake(settings: Pick<Settings, "Lake__blobServiceUri">, credential: TokenCredential): Lake {
    const service = new BlobServiceClient(settings.Lake__blobServiceUri, credential, {
        retryOptions: storageRetries,
    });

    function blobAt(container: string, path: string) {
        // A URL swallows these segments: the blob would land elsewhere, even in another container.
        if (path.split("/").some((segment) => segment === "." || segment === "..")) {
            throw new BlobNameError(path, "has a segment of dots");
        }
        // The client writes these as slashes.
        if (path.includes("\\")) {
            throw new BlobNameError(path, "has a backslash");
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
        async *list(container, prefix, signal) {
            const options = { prefix, includeMetadata: true, ...(signal && { abortSignal: signal }) };
            const pages = readAhead(service.getContainerClient(container).listBlobsFlat(options).byPage({ maxPageSize: pageSize }));
            for (;;) {
                const next = await done(`list ${container}/${prefix}`, () => pages.next());
                if (next.done) {
                    return;
                }
                for (const { name, properties, metadata } of next.value.segment.blobItems) {
                    yield {
                        path: name,
                        etag: plainEtag(properties.etag),
                        size: properties.contentLength ?? 0,
                        metadata: lowerCased(metadata),
                    };
                }
            }
        },

        async find(container, path, signal) {
            const options = signal && { abortSignal: signal };
            const found = await call(`find ${container}/${path}`, () => blobAt(container, path).getProperties(options), [404]);
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

        draft(container, path, terms) {
            return createDraft(blobAt(container, path).getBlockBlobClient(), terms, (action, run) => done(`${action} ${container}/${path}`, run));
        },

        async remove(container, path, signal) {
            await call(`delete ${container}/${path}`, () => blobAt(container, path).delete(signal && { abortSignal: signal }), [404]);
        },

        async lease(container, path, seconds) {
            const client = blobAt(container, path).getBlockBlobClient();
            return acquireLease(client, seconds, (statuses, run) => call(`lease ${container}/${path}`, run, statuses));
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

        async writeText(container, path, text, condition, metadata) {
            const conditions = "absent" in condition ? { ifNoneMatch: "*" } : { ifMatch: `"${condition.etag}"` };
            const client = blobAt(container, path).getBlockBlobClient();
            const options = { conditions, blobHTTPHeaders: { blobContentType: "application/json" }, ...(metadata && { metadata }) };
            // 409: the blob is there; 412: it is another version.
            const run = () => client.upload(text, Buffer.byteLength(text), options);
            const written = await call(`write ${container}/${path}`, run, [409, 412]);
            return written && plainEtag(written.etag ?? "");
        },

        async writeMarker(container, path, signal) {
            const options = signal && { abortSignal: signal };
            await done(`write ${container}/${path}`, () => blobAt(container, path).getBlockBlobClient().upload("", 0, options));
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
