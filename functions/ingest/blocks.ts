import type { Memory } from "./limits";

/** A piece of a body. */
export interface Block {
    readonly content: Buffer;
    /** Gives its memory free. */
    readonly release: () => void;
}

/**
 * A body of a known size in blocks of one size, the last one shorter; no bytes are one empty block. Each waits for its memory before it is
 * read, so that the readers of many bodies together stay within it. The last one comes when the body has ended. What is given out is to
 * be released.
 */
export async function* blocksOf(body: AsyncIterable<Buffer>, size: number, bytes: number, memory: Memory): AsyncGenerator<Block> {
    const chunks = body[Symbol.asyncIterator]();
    let rest: Buffer = Buffer.alloc(0);

    /** Into memory that is there from the start: pieces that wait to be joined would take it twice. */
    async function read(length: number): Promise<Buffer> {
        const content = Buffer.allocUnsafeSlow(length);
        let filled = 0;
        while (filled < length) {
            if (rest.length === 0) {
                const next = await chunks.next();
                if (next.done) {
                    break;
                }
                rest = next.value;
            }
            const copied = rest.copy(content, filled);
            rest = rest.subarray(copied);
            filled += copied;
        }
        return content.subarray(0, filled);
    }

    try {
        for (let offset = 0; offset < size || offset === 0; offset += bytes) {
            const length = Math.min(bytes, size - offset);
            const release = await memory.take(length);
            let content: Buffer;
            try {
                content = await read(length);
                if (offset + length === size) {
                    // A body that is longer, or breaks off in its very end, fails here.
                    await chunks.next();
                }
            } catch (error) {
                release();
                throw error;
            }
            yield { content, release };
        }
    } finally {
        await chunks.return?.();
    }
}
