/** Handlers that a worker runs, by their name in the Function App. */
export type Work = "ingest" | "score" | "load" | "reconcile" | "jobs";

/** When a worker is to end or to halt: at its nth outside call (from 1), or when it logs a step. */
export type Point = { readonly call: number } | { readonly step: string };

/** One invocation of a handler. */
export interface Order {
    readonly work: Work;
    /** Of a queue: the message, decoded. */
    readonly message?: unknown;
    /** Where the worker is killed by SIGKILL. */
    readonly killAt?: Point | undefined;
    /** Where the worker is stopped by SIGSTOP: everybody sees it silent there until it is told to go on. */
    readonly haltAt?: Point | undefined;
    /** How far the worker's clock is ahead of this machine's, in milliseconds: what waits for time to pass need not be waited for. */
    readonly aheadMs?: number;
}

/** What a worker tells of its invocation, at its end. */
export interface Outcome {
    /** The error with its causes, if it failed. */
    readonly failure?: string;
    /** Outside calls that it made. */
    readonly calls: number;
    /** The steps that it logged, in order. */
    readonly steps: readonly string[];
}

/**
 * Name of a step: what a handler logs as one line of JSON has an `event`, and an `outcome` or a `step` where the event has several.
 */
export function stepOf(line: string): string {
    try {
        const { event, step, outcome, warning } = JSON.parse(line) as Record<string, string | undefined>;
        return [event, step ?? outcome ?? warning].filter(Boolean).join(": ");
    } catch {
        return line;
    }
}
