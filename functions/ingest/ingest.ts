import type { Lake } from "../clients/lake";
import { folderOf, markerOf } from "../clients/lake-paths";
import type { SourceBucket } from "../clients/source-bucket";
import { containers, successMarker } from "../contracts";
import { isCopied, type Pair, pairs } from "./compare";
import { copyObject } from "./copy";
import { Folders } from "./folders";

/** What a run needs. */
export interface IngestParts {
    readonly source: SourceBucket;
    readonly lake: Lake;
    readonly now: () => Date;
    /** Takes the run's summary as one line of JSON. */
    readonly log: (line: string) => void;
    /** Objects that are copied at a time. @default 8 */
    readonly parallel?: number;
}

/** What a run did. */
export interface IngestSummary {
    /** Objects found in the source; markers do not count. */
    listed: number;
    copied: number;
    /** Objects that the lake had already. */
    skipped: number;
    /** What could not be copied or marked, and why. */
    readonly failed: { readonly key: string; readonly reason: string }[];
    /** Bytes copied. */
    bytes: number;
    /** Folders that were completed with a marker. */
    readonly folders: string[];
    seconds: number;
}

/** A run did not bring everything over: the next one goes on from what is there. */
export class IngestError extends Error {
    override readonly name = "IngestError";
    readonly retryable = true;

    constructor(readonly summary: IngestSummary) {
        const lines = summary.failed.map(({ key, reason }) => `${JSON.stringify(key)}: ${reason}`);
        super(`ingest of ${summary.listed} listed objects had ${lines.length} failures\n${lines.join("\n")}`);
    }
}

/** After so many failures a run ends early: something is down, and each try costs its full time. */
const maxFailures = 100;

/**
 * Copies what is new or changed under the source's prefix to the lake, and completes each changed folder with a marker. A run may be
 * killed at any point, and runs may overlap: what is there is compared, not remembered.
 *
 * @throws IngestError after everything that could be done, when something failed.
 */
export async function ingest({ source, lake, now, log, parallel = 8 }: IngestParts): Promise<IngestSummary> {
    const started = now().getTime();
    const folders = new Folders(lake);
    const summary: IngestSummary = { listed: 0, copied: 0, skipped: 0, failed: [], bytes: 0, folders: [], seconds: 0 };
    const listing = pairs(source, lake);
    let whole = true;

    async function bring(pair: Pair): Promise<void> {
        const { object } = pair;
        try {
            if (await isCopied(lake, pair)) {
                summary.skipped += 1;
                return;
            }
            await copyObject(source, lake, object, () => folders.open(object.key));
            summary.copied += 1;
            summary.bytes += object.size;
        } catch (error) {
            folders.spoil(object.key);
            summary.failed.push({ key: object.key, reason: reasonOf(error) });
        }
    }

    /** Takes objects until there are no more; all workers share the one listing, so nothing is listed ahead of the copying. */
    async function work(): Promise<void> {
        while (summary.failed.length < maxFailures) {
            const next = await listing.next();
            if (next.done) {
                return;
            }
            const { key } = next.value.object;
            if (key !== markerOf(folderOf(key))) {
                summary.listed += 1;
                folders.see(key);
                await bring(next.value);
            }
        }
        whole = false;
    }

    const workers = await Promise.allSettled(Array.from({ length: parallel }, work));
    for (const worker of workers) {
        if (worker.status === "rejected") {
            whole = false;
            summary.failed.push({ key: source.prefix, reason: reasonOf(worker.reason) });
        }
    }
    // After a listing that broke off nobody knows which folders were seen whole.
    if (whole) {
        await mark();
    }

    async function mark(): Promise<void> {
        try {
            for await (const folder of folders.ready()) {
                await lake.writeMarker(containers.logs, markerOf(folder));
                summary.folders.push(folder);
            }
        } catch (error) {
            summary.failed.push({ key: successMarker, reason: reasonOf(error) });
        }
    }

    summary.seconds = (now().getTime() - started) / 1000;
    log(JSON.stringify({ event: "ingest", ...summary }));
    if (summary.failed.length > 0) {
        throw new IngestError(summary);
    }
    return summary;
}

/** An error's message with those of its causes. */
function reasonOf(error: unknown): string {
    if (!(error instanceof Error)) {
        return String(error);
    }
    return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
