import { addAbortSignal, type Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { SourceBodyError, SourceBucketError, SourceObjectError } from "./source-errors";

/** How an object's body is read. */
export interface ResumedBody {
    readonly key: string;
    /** Bytes that the object has. */
    readonly size: number;
    /** How long the body may give nothing, in milliseconds. */
    readonly idleMs: number;
    /** The body as the first answer has it. */
    readonly first: Readable;
    /** Asks for the same version again, from a byte on. */
    readonly again: (from: number) => Promise<Readable>;
    readonly signal: AbortSignal | undefined;
}

/** So often in a row a body is asked for again without giving one byte more. */
const maxFruitless = 4;
const firstPauseMs = 200;

/**
 * The object's bytes. A body that breaks off, stalls or ends early is asked for again from where it was.
 *
 * @throws SourceBodyError when that does not help, SourceObjectError when the object was deleted or replaced meanwhile
 */
export async function* readResumed({ key, size, idleMs, first, again, signal }: ResumedBody): AsyncGenerator<Buffer> {
    let arrived = 0;
    let fruitless = 0;
    let body: Readable | undefined = first;
    for (;;) {
        const before = arrived;
        try {
            body ??= await again(arrived);
            for await (const chunk of untilIdle(signal ? addAbortSignal(signal, body) : body, idleMs)) {
                arrived += chunk.length;
                yield chunk;
            }
            if (arrived === size) {
                return;
            }
            throw new SourceBodyError(key, arrived, size);
        } catch (error) {
            fruitless = arrived > before ? 1 : fruitless + 1;
            const refused = error instanceof SourceObjectError || (error instanceof SourceBucketError && !error.retryable);
            if (refused) {
                throw error;
            }
            if (fruitless > maxFruitless || arrived > size || signal?.aborted) {
                throw error instanceof SourceBodyError ? error : new SourceBodyError(key, arrived, size, { cause: error });
            }
        }
        body = undefined;
        await sleep(firstPauseMs * 2 ** (fruitless - 1), undefined, signal && { signal });
    }
}

/** The stream's chunks; fails when it gives none for a while. The time that the reader takes does not count. */
async function* untilIdle(body: Readable, idleMs: number): AsyncGenerator<Buffer> {
    let waiting = true;
    const timer = setTimeout(() => {
        if (waiting) {
            body.destroy(new Error(`gave nothing for ${idleMs} ms`));
        } else {
            timer.refresh();
        }
    }, idleMs);
    try {
        for await (const chunk of body as AsyncIterable<Buffer>) {
            waiting = false;
            yield chunk;
            waiting = true;
            timer.refresh();
        }
    } finally {
        clearTimeout(timer);
        // A reader that goes away early leaves no connection behind.
        body.destroy();
    }
}
