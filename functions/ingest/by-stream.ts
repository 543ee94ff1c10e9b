import { type BlobDraft, maxBlocks } from "../clients/lake-draft";
import type { Crc64 } from "../crc64";
import { type Block, blocksOf } from "./blocks";
import { type CopyParts, type CopyTask, draftOf, giveName } from "./copy-parts";
import { blockBytes } from "./limits";
import { copyProperties } from "./properties";
import { PassingContent, type Verification } from "./verification";

/**
 * Copies the object through this process: read once, its checksum computed on the way, each block sent with its CRC, which the service
 * compares. Nothing has the blob's name before the whole is the source's.
 *
 * @throws ChecksumMismatchError, SourceBucketError, LakeError
 */
export async function copyByStream(parts: CopyParts, task: CopyTask): Promise<Verification> {
    const { source, limits, signal, trace } = parts;
    const { object } = task;
    const { key, size } = object;
    const draft = draftOf(parts, task);
    const { details, body } = await source.read(object, signal);
    const properties = copyProperties(details, object);
    const passing = new PassingContent(key, details.checksums);
    const isSmall = size <= limits.streamBlockBytes;
    const bytes = isSmall ? Math.max(size, 1) : blockBytes(limits.streamBlockBytes, size, maxBlocks);
    const blocks = blocksOf(body, size, bytes, limits.streamMemory);

    function verify(): Verification {
        const by = passing.verify();
        trace("verified", { key, by });
        return by;
    }

    if (isSmall) {
        return await onlyBlock(blocks, async ({ content }) => {
            const checksum = await passing.add(content);
            const by = verify();
            await giveName(parts, task, () => draft.put(content, checksum, properties));
            return by;
        });
    }
    const staged = await stageAll(blocks, passing, draft);
    trace("staged", { key, blocks: staged });
    const by = verify();
    await giveName(parts, task, () => draft.commit(staged, properties));
    return by;
}

/** Uses the one block of a body. */
async function onlyBlock<T>(blocks: AsyncGenerator<Block>, use: (block: Block) => Promise<T>): Promise<T> {
    const { value: block } = (await blocks.next()) as IteratorYieldResult<Block>;
    try {
        return await use(block);
    } finally {
        block.release();
    }
}

/** Sends the blocks, as many at a time as have memory. @returns how many there were */
async function stageAll(blocks: AsyncIterable<Block>, passing: PassingContent, draft: BlobDraft): Promise<number> {
    const sending = new Set<Promise<void>>();
    let failure: { readonly error: unknown } | undefined;
    let index = 0;

    async function send({ content, release }: Block, position: number, checksum: Crc64): Promise<void> {
        try {
            await draft.stage(position, content, checksum);
        } catch (error) {
            failure ??= { error };
        } finally {
            release();
        }
    }

    try {
        for await (const block of blocks) {
            const sent = send(block, index, await passing.add(block.content));
            sending.add(sent);
            void sent.then(() => sending.delete(sent));
            index += 1;
            if (failure !== undefined) {
                break;
            }
        }
    } finally {
        // Nothing is under way any more when this is left.
        await Promise.all(sending);
    }
    if (failure !== undefined) {
        throw failure.error;
    }
    return index;
}
