import type { IngestSummary } from "../../functions/ingest/summary";

/** Where objects are. */
export interface Bucket {
    readonly name: string;
    /** Endpoint of the S3 that has it. */
    readonly s3: string;
}

/** What the process that copies is asked. */
export interface IngestOrder {
    readonly bucket: Bucket;
    /** Blob endpoint of the lake: the one that reads from URLs by itself, or the one that does not. */
    readonly lake: string;
}

/** What became of it. */
export interface IngestReply {
    /** Seconds from the timer to the end. */
    readonly seconds: number;
    /** Seconds of processor time meanwhile. */
    readonly processorSeconds: number;
    readonly summary: IngestSummary;
    /** RSS of the process during the run, in bytes, in the order of time. */
    readonly rss: readonly number[];
    /** Bytes of objects' content that came into the process or left it. */
    readonly contentBytes: number;
}
