import { randomBytes } from "node:crypto";
import { type BlobHTTPHeaders, type BlockBlobClient, RestError } from "@azure/storage-blob";
import { type Crc64, fromAzureCrc64, toAzureCrc64 } from "../crc64";
import { LakeConflictError, SourceRefusedError } from "./lake-errors";

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

/** On which terms a blob is written. */
export interface DraftTerms {
    /** ETag of the version that is replaced; undefined when there must be no blob yet. */
    readonly replaces: string | undefined;
    /** Ends the calls. */
    readonly signal?: AbortSignal;
}

/** A blob that is being written. It appears under its name by `put`, `putFromUrl` or `commit`, whole; until then there is what was there. */
export interface BlobDraft {
    /** Writes the blob at once. The service refuses content of another checksum. @throws LakeConflictError */
    put(content: Buffer, checksum: Crc64, properties: BlobProperties): Promise<void>;
    /**
     * Has the service read the whole content from a URL, and refuse it when its MD5 is another: at most 4,000 MiB
     * (https://learn.microsoft.com/rest/api/storageservices/put-blob-from-url).
     *
     * @throws SourceRefusedError, LakeConflictError
     */
    putFromUrl(url: string, md5: Uint8Array, properties: BlobProperties): Promise<void>;
    /** Sends the content's nth block, from 0. The service refuses one of another checksum. */
    stage(index: number, content: Buffer, checksum: Crc64): Promise<void>;
    /**
     * Has the service read the nth block from a URL: at most 4,000 MiB
     * (https://learn.microsoft.com/rest/api/storageservices/put-block-from-url).
     *
     * @returns the checksum of what it read, or undefined where it tells none
     * @throws SourceRefusedError
     */
    stageFromUrl(index: number, url: string, offset: number, bytes: number): Promise<Crc64 | undefined>;
    /** Makes the blob of its first blocks, which have all been staged. @throws LakeConflictError */
    commit(blocks: number, properties: BlobProperties): Promise<void>;
}

/** https://learn.microsoft.com/rest/api/storageservices/understanding-block-blobs--append-blobs--and-page-blobs */
export const maxBlocks = 50_000;

/** @param done runs a call and gives its failure the lake's shape */
export function createDraft(
    client: BlockBlobClient,
    { replaces, signal }: DraftTerms,
    done: <T>(action: string, run: () => Promise<T>) => Promise<T>,
): BlobDraft {
    const conditions = replaces === undefined ? { ifNoneMatch: "*" } : { ifMatch: `"${replaces}"` };
    const abort = signal && { abortSignal: signal };
    // Of this draft alone, so that no other's blocks get in between; blocks of one blob must have names of one length.
    const prefix = randomBytes(9).toString("hex");
    const blockId = (index: number): string => Buffer.from(`${prefix}${String(index).padStart(6, "0")}`).toString("base64");

    function write(properties: BlobProperties) {
        return { ...abort, conditions, blobHTTPHeaders: httpHeaders(properties), ...(properties.metadata && { metadata: properties.metadata }) };
    }

    /** A write under the draft's condition. */
    async function written(action: string, run: () => Promise<unknown>): Promise<void> {
        await done(action, async () => {
            try {
                await run();
            } catch (error) {
                if (error instanceof RestError && ["ConditionNotMet", "BlobAlreadyExists"].includes(error.code ?? "")) {
                    throw new LakeConflictError(`could not ${action} ${client.name}: somebody else wrote it meanwhile`, error.statusCode, { cause: error });
                }
                throw error;
            }
        });
    }

    const commit = (blocks: number, properties: BlobProperties) =>
        written("write", () => client.commitBlockList(Array.from({ length: blocks }, (_, index) => blockId(index)), write(properties)));

    /**
     * Writes a blob by one call, or as one block: for the condition of a call, blocks that a killed writer left may pass for a blob, and
     * do so in Azurite.
     */
    async function writtenAtOnce(action: string, run: () => Promise<unknown>, stage: () => Promise<unknown>, properties: BlobProperties): Promise<void> {
        try {
            await written(action, run);
        } catch (error) {
            if (!(error instanceof LakeConflictError) || replaces !== undefined) {
                throw error;
            }
            await done(action, stage);
            await commit(1, properties);
        }
    }

    return {
        put(content, checksum, properties) {
            const crc64 = { transactionalContentCrc64: toAzureCrc64(checksum) };
            const put = () => client.upload(content, content.length, { ...write(properties), ...crc64 });
            const stage = () => client.stageBlock(blockId(0), content, content.length, { ...abort, ...crc64 });
            return writtenAtOnce("write", put, stage, properties);
        },

        putFromUrl(url, md5, properties) {
            // The URL's answer has no properties of a blob.
            const whole = { ...write(properties), sourceContentMD5: md5, copySourceBlobProperties: false };
            const put = () => readingSource(() => client.syncUploadFromURL(url, whole));
            const stage = () => readingSource(() => client.stageBlockFromURL(blockId(0), url, 0, undefined, { ...abort, sourceContentMD5: md5 }));
            return writtenAtOnce("copy to", put, stage, properties);
        },

        async stage(index, content, checksum) {
            await done("write a block of", () =>
                client.stageBlock(blockId(index), content, content.length, { ...abort, transactionalContentCrc64: toAzureCrc64(checksum) }),
            );
        },

        async stageFromUrl(index, url, offset, bytes) {
            const { xMsContentCrc64: checksum } = await done("copy a block to", () =>
                readingSource(() => client.stageBlockFromURL(blockId(index), url, offset, bytes, abort)),
            );
            return checksum && fromAzureCrc64(checksum);
        },

        commit,
    };
}

/** Runs a call that has the service read from a URL. */
async function readingSource<T>(run: () => Promise<T>): Promise<T> {
    try {
        return await run();
    } catch (error) {
        if (error instanceof RestError && refusesSource(error)) {
            const code = error.code ?? `status ${error.statusCode}`;
            throw new SourceRefusedError("the service did not read the source", error.statusCode, code, { cause: error });
        }
        throw error;
    }
}

/**
 * Whether the service answered that it will not do this with this source: `CannotVerifyCopySource` with the status of the source, 501, or any
 * word of a wrong request. Where it is the destination that it refuses, sending it the bytes will show.
 */
function refusesSource({ code, statusCode = 0 }: RestError): boolean {
    const passing = [408, 429].includes(statusCode) || code === "ConditionNotMet" || code === "BlobAlreadyExists";
    return code === "CannotVerifyCopySource" || statusCode === 501 || (statusCode >= 400 && statusCode < 500 && !passing);
}

function httpHeaders(properties: BlobProperties): BlobHTTPHeaders {
    const named = {
        blobContentType: properties.contentType,
        blobContentEncoding: properties.contentEncoding,
        blobContentLanguage: properties.contentLanguage,
        blobContentDisposition: properties.contentDisposition,
        blobCacheControl: properties.cacheControl,
    };
    return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}
