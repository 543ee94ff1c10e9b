import type { Lake } from "../clients/lake";
import { folderOf, markerOf } from "../clients/lake-paths";
import type { SourceBucket } from "../clients/source-bucket";
import { containers, successMarker } from "../contracts";
import { findCopy, type Pair, pairs } from "./compare";
import { copyObject } from "./copy";
import { Folders } from "./folders";
import { defaultLimits, type Limits } from "./limits";
import { alone, lockPath, type RunLockOptions } from "./run-lock";
import { ServerSide } from "./server-side";
import { countCopy, IngestError, type IngestSummary, keepSummary, startSummary } from "./summary";

/** What a run needs. */
export interface IngestParts {
    readonly source: SourceBucket;
    readonly lake: Lake;
    readonly now: () => Date;
    /** Takes the steps of the run, each as one line of JSON with an `event`. */
    readonly log: (line: string) => void;
    /** Takes the steps of single objects, in the same shape. */
    readonly trace: (line: string) => void;
    /** How much is under way at a time. @default `defaultLimits` */
    readonly limits?: Limits;
    readonly lock?: RunLockOptions;
}

/** After so many failures a run ends early: something is down, and each try costs its full time. */
const maxFailures = 100;

/**
 * Copies what is new or changed under the source's prefix to the lake, and completes each changed folder with a marker. One run at a time
 * does; it may be killed at any point, and the next goes on: what is there is compared, not remembered.
 *
 * @returns undefined when another run is at work
 * @throws IngestError after everything that could be done, when something failed
 */
export async function ingest(parts: IngestParts): Promise<IngestSummary | undefined> {
    const { lake, log, lock = {} } = parts;
    const ran = await alone(lake, lock, (lost) => {
        log(JSON.stringify({ event: "ingest:lease", lock: `${containers.runs}/${lockPath}` }));
        return runAlone(parts, lost);
    });
    if (ran === undefined) {
        log(JSON.stringify({ event: "ingest:busy", lock: `${containers.runs}/${lockPath}` }));
        return undefined;
    }
    if (ran.result.outcome !== "complete") {
        throw new IngestError(ran.result);
    }
    return ran.result;
}

/** One run, with its summary kept and told. */
async function runAlone(parts: IngestParts, lost: AbortSignal): Promise<IngestSummary> {
    const { lake, source, now, log } = parts;
    const started = now();
    const summary = startSummary(source, started);
    await bringAll(parts, summary, lost);
    summary.seconds = (now().getTime() - started.getTime()) / 1000;
    if (lost.aborted) {
        summary.failed.push({ key: lockPath, reason: reasonOf(lost.reason) });
    }
    summary.outcome = lost.aborted ? "stopped" : summary.failed.length > 0 ? "incomplete" : "complete";
    try {
        await keepSummary(lake, summary);
    } finally {
        log(JSON.stringify({ event: "ingest:summary", ...summary }));
    }
    return summary;
}

/** Brings every object, and marks each folder whose objects have arrived. */
async function bringAll(parts: IngestParts, summary: IngestSummary, signal: AbortSignal): Promise<void> {
    const { source, lake, limits = defaultLimits() } = parts;
    const tell = (event: string, fields: Readonly<Record<string, unknown>>) => parts.log(JSON.stringify({ event: `ingest:${event}`, ...fields }));
    const trace = (step: string, fields: Readonly<Record<string, unknown>>) => parts.trace(JSON.stringify({ event: `ingest:${step}`, ...fields }));
    const serverSide = new ServerSide(tell);
    const folders = new Folders(lake, signal, (folder) => {
        summary.folders.push(folder);
        tell("marker", { folder });
    });
    tell("listing", { bucket: source.name, prefix: source.prefix });
    const listing = pairs(source, lake, signal);
    let ordered = true;

    function fail(key: string, error: unknown): void {
        summary.failed.push({ key, reason: reasonOf(error) });
    }

    /** @returns whether the lake has the object now */
    async function bring(pair: Pair): Promise<boolean> {
        const { object } = pair;
        try {
            const { blob, current } = await findCopy(lake, pair, signal);
            if (current) {
                summary.skipped += 1;
                return true;
            }
            const task = { object, replaces: blob, beforeWrite: () => folders.open(object.key) };
            countCopy(summary, await copyObject({ source, lake, limits, signal, trace }, serverSide, task));
            return true;
        } catch (error) {
            if (!signal.aborted) {
                fail(object.key, error);
            }
            return false;
        }
    }

    async function marking(work: Promise<void>): Promise<void> {
        await work.catch((error: unknown) => fail(successMarker, error));
    }

    /** Takes objects until there are no more; all workers share the one listing, so nothing is listed ahead of the copying. */
    async function work(): Promise<boolean> {
        while (summary.failed.length < maxFailures && !signal.aborted) {
            const next = await listing.next();
            if (next.done) {
                return true;
            }
            const { key } = next.value.object;
            ordered &&= next.value.ordered;
            const isMarker = key === markerOf(folderOf(key));
            if (!isMarker) {
                summary.listed += 1;
                folders.see(key);
            }
            if (ordered) {
                await marking(folders.pass(key));
            }
            if (!isMarker) {
                await marking(folders.settle(key, await bring(next.value)));
            }
        }
        return false;
    }

    const workers = await Promise.allSettled(Array.from({ length: limits.objects }, work));
    summary.urlRefused = serverSide.refusals;
    for (const worker of workers) {
        if (worker.status === "rejected" && !signal.aborted) {
            fail(source.prefix, worker.reason);
        }
    }
    summary.brokeOff = !workers.every((worker) => worker.status === "fulfilled" && worker.value);
    // After a listing that broke off nobody knows whether the folders that it was in were seen whole.
    if (!summary.brokeOff) {
        await marking(folders.pass());
    }
}

/** An error's message with those of its causes. */
function reasonOf(error: unknown): string {
    if (!(error instanceof Error)) {
        return String(error);
    }
    return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
