/** What the process that loads is asked. */
export interface LoadOrder {
    /** The queue message of the file. */
    readonly event: unknown;
    /** Whether the predictions go into Redis as well, after the commit. */
    readonly cached: boolean;
}

/** What became of it. */
export interface LoadReply {
    /** Seconds from the event to the end. */
    readonly seconds: number;
    /** Highest RSS of the process so far, in bytes. */
    readonly maxRss: number;
    readonly outcome: string;
    readonly rows: number;
}
