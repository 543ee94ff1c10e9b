import type { Lake } from "../clients/lake";
import { containers } from "../contracts";
import type { Copied } from "./copy";
import type { Verification } from "./verification";

/** What a run of `ingest` did. Kept as JSON in the container `runs` under `summaryPath`. */
export interface IngestSummary {
    /** `complete`: the lake has all that the bucket had. `incomplete`: something failed. `stopped`: the lock was lost. */
    outcome: "complete" | "incomplete" | "stopped";
    readonly bucket: string;
    readonly prefix: string;
    /** ISO 8601, UTC. */
    readonly startedAt: string;
    seconds: number;
    /** Objects found in the source; markers do not count. */
    listed: number;
    /** Whether the run ended before the listing did: what was not listed was not looked at. */
    brokeOff: boolean;
    copied: number;
    /** Objects that the lake had already. */
    skipped: number;
    /** What could not be copied or marked, and why. */
    readonly failed: { readonly key: string; readonly reason: string }[];
    /** Bytes copied. */
    bytes: number;
    /** Objects by the way that they took: read by the lake's service itself, or through this process. */
    readonly ways: { url: number; stream: number };
    /** Bytes that went through this process. */
    streamedBytes: number;
    /** Objects that the service would not read by itself. */
    urlRefused: number;
    /** Copied objects by what was compared with the source. */
    readonly verified: Record<Verification, number>;
    /** Folders that were completed with a marker. */
    readonly folders: string[];
}

/** A run did not bring everything over: the next one goes on from what is there. */
export class IngestError extends Error {
    override readonly name = "IngestError";
    readonly retryable = true;

    constructor(readonly summary: IngestSummary) {
        const lines = summary.failed.map(({ key, reason }) => `${JSON.stringify(key)}: ${reason}`);
        const brokeOff = summary.brokeOff ? " and broke off there" : "";
        super(`ingest of ${summary.listed} listed objects had ${lines.length} failures${brokeOff}\n${lines.join("\n")}`);
    }
}

export function startSummary(source: { readonly name: string; readonly prefix: string }, now: Date): IngestSummary {
    return {
        outcome: "complete",
        bucket: source.name,
        prefix: source.prefix,
        startedAt: now.toISOString(),
        seconds: 0,
        listed: 0,
        brokeOff: false,
        copied: 0,
        skipped: 0,
        failed: [],
        bytes: 0,
        ways: { url: 0, stream: 0 },
        streamedBytes: 0,
        urlRefused: 0,
        verified: { crc64: 0, md5: 0, length: 0 },
        folders: [],
    };
}

/** Takes a copied object into account. */
export function countCopy(summary: IngestSummary, { object, way, verification }: Copied): void {
    summary.copied += 1;
    summary.bytes += object.size;
    summary.ways[way] += 1;
    summary.streamedBytes += way === "stream" ? object.size : 0;
    summary.verified[verification] += 1;
}

/** Name of a run's summary: in the order of the runs. */
export function summaryPath(startedAt: string): string {
    return `ingest/${startedAt.replaceAll(":", "-")}.json`;
}

export async function keepSummary(lake: Lake, summary: IngestSummary): Promise<void> {
    await lake.writeText(containers.runs, summaryPath(summary.startedAt), JSON.stringify(summary, undefined, 2), { absent: true });
}
