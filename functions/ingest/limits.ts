import { Semaphore } from "async-mutex";
import pLimit, { type LimitFunction } from "p-limit";

const mebibyte = 1024 * 1024;

/** How much of a copy is under way at a time, over all objects of a run. */
export interface Limits {
    /** Objects at a time. */
    readonly objects: number;
    /** Block that the service reads from a URL, in bytes; an object of up to this size is copied at once. */
    readonly urlBlockBytes: number;
    /** Calls in which the service reads from a URL. */
    readonly urlCalls: LimitFunction;
    /** Block that goes through this process, in bytes; an object of up to this size is written at once. */
    readonly streamBlockBytes: number;
    /** For the blocks on their way through this process. */
    readonly streamMemory: Memory;
}

/** Of a run: 64 MiB through the process whatever the objects' sizes, in an instance that has 512 MB or more. */
export function defaultLimits(): Limits {
    return {
        objects: 16,
        urlBlockBytes: 64 * mebibyte,
        urlCalls: pLimit(16),
        streamBlockBytes: 8 * mebibyte,
        streamMemory: new Memory(64 * mebibyte),
    };
}

/** What memory is counted in: the semaphore's own work grows with its units. Bytes. */
const unitBytes = 64 * 1024;

/** Memory that many share. */
export class Memory {
    readonly #units: number;
    readonly #left: Semaphore;

    constructor(bytes: number) {
        this.#units = Math.ceil(bytes / unitBytes);
        this.#left = new Semaphore(this.#units);
    }

    /** Waits until this much is free; one who wants more than there is waits for all. @returns gives it free */
    async take(bytes: number): Promise<() => void> {
        const [, release] = await this.#left.acquire(Math.min(Math.max(Math.ceil(bytes / unitBytes), 1), this.#units));
        return release;
    }
}

/** Size of an object's blocks: the wished one, or more where the object would have too many. */
export function blockBytes(wished: number, size: number, maxBlocks: number): number {
    return Math.max(wished, Math.ceil(size / maxBlocks));
}
