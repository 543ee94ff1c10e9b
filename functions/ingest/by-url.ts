import { type BlobDraft, maxBlocks } from "../clients/lake-draft";
import { type Crc64, combineCrc64, emptyCrc64 } from "../crc64";
import { type CopyParts, type CopyTask, draftOf, giveName } from "./copy-parts";
import { blockBytes } from "./limits";
import { copyProperties } from "./properties";
import { type Verification, verifyCrc64 } from "./verification";

/**
 * Largest source of one call. Put Blob From URL takes 5,000 MiB, but where its answer got lost the same content is staged as one block, and
 * Put Block From URL takes 4,000 (https://learn.microsoft.com/rest/api/storageservices/put-block-from-url).
 */
const maxWholeBytes = 4_000 * 1024 * 1024;

/**
 * Has the service copy the object: no byte passes through this process.
 *
 * - An object of one block whose MD5 S3 knows, and a larger one with no CRC: one call, in which the service compares the MD5 before it writes.
 *   The folder's marker has to go before it; refused, it may come back with the next run only.
 * - Any other: blocks, whose CRCs the service tells, put together and compared with S3's before they are committed. Without a CRC of S3's
 *   the version is asked for again instead: what was read in between is that version, in the length that was asked for.
 *
 * Blocks that a killed run left are not taken up again: the service does not tell their checksums any more. It drops them by itself.
 *
 * @throws SourceRefusedError, ChecksumMismatchError: it may go through this process
 */
export async function copyByUrl(parts: CopyParts, task: CopyTask): Promise<Verification> {
    const { source, limits, signal, trace } = parts;
    const { object } = task;
    const { key, size } = object;
    const draft = draftOf(parts, task);
    const details = await source.details(object, signal);
    const { md5, crc64 } = details.checksums;
    const properties = copyProperties(details, object);
    if (md5 !== undefined && (size <= limits.urlBlockBytes || (crc64 === undefined && size <= maxWholeBytes))) {
        await giveName(parts, task, async () => {
            await limits.urlCalls(async () => draft.putFromUrl(await source.sign(key), md5, properties));
            trace("verified", { key, by: "md5" });
        });
        return "md5";
    }
    const { blocks, checksum } = await stageBlocks(parts, task, draft);
    trace("staged", { key, blocks });
    const verification = await verify();
    trace("verified", { key, by: verification });
    await giveName(parts, task, () => draft.commit(blocks, properties));
    return verification;

    async function verify(): Promise<Verification> {
        if (crc64 !== undefined && checksum !== undefined) {
            return verifyCrc64(key, crc64, checksum);
        }
        await source.details(object, signal);
        return "length";
    }
}

/** Several blocks at a time. Each gets a URL of its own, signed when its turn has come. */
async function stageBlocks(
    { source, limits }: CopyParts,
    { object: { key, size } }: CopyTask,
    draft: BlobDraft,
): Promise<{ blocks: number; checksum: Crc64 | undefined }> {
    const bytes = blockBytes(limits.urlBlockBytes, size, maxBlocks);
    const lengths = Array.from({ length: Math.ceil(size / bytes) }, (_, index) => Math.min(bytes, size - index * bytes));
    let failed = false;
    const staged = lengths.map((length, index) =>
        limits.urlCalls(async () => {
            if (failed) {
                return undefined;
            }
            try {
                return await draft.stageFromUrl(index, await source.sign(key), index * bytes, length);
            } catch (error) {
                failed = true;
                throw error;
            }
        }),
    );
    // Nothing is under way any more when this is left.
    await Promise.allSettled(staged);
    const checksums = await Promise.all(staged);
    let whole: Crc64 | undefined = emptyCrc64;
    for (const [index, checksum] of checksums.entries()) {
        whole = whole === undefined || checksum === undefined ? undefined : combineCrc64(whole, checksum, lengths[index] as number);
    }
    return { blocks: lengths.length, checksum: whole };
}
