import type { PredictionCache } from "../clients/cache";
import type { Database } from "../clients/database";
import type { Lake } from "../clients/lake";
import { containers, predictionFileSuffix } from "../contracts";
import { type BlobCreated, MessageError } from "../events/blob-created";
import { type DatabaseLoad, loadIntoDatabase } from "./database-load";
import { cachePending, type FileVersion, setCached } from "./ledger";
import { refreshCache, RefreshError } from "./refresh";
import { Rejects } from "./rejects";

/** What the handler needs. */
export interface LoadParts {
    readonly lake: Lake;
    readonly database: Database;
    readonly cache: Pick<PredictionCache, "putMany">;
    /** For how long the cached predictions count as fresh, in seconds. */
    readonly freshSeconds: number;
    readonly now: () => Date;
    readonly log: {
        /** Takes one line of JSON an event. */
        log(line: string): void;
        warn(line: string): void;
    };
    /** Wait before the database is tried again, in milliseconds. @default 500 */
    readonly retryDelayMs?: number;
}

/** What became of an event. */
export interface LoadResult {
    /** `gone`: the file was deleted since. `repeated`: this version was loaded before. */
    readonly outcome: "loaded" | "repeated" | "gone";
    readonly rows: number;
    readonly rejected: number;
    /** Whether the cache has the file's predictions. */
    readonly cached: boolean;
}

/** Files of before that a load brings into the cache, which was down then: each takes about as long as a load. */
const repairsALoad = 2;
/** What was loaded less long ago may be on its way into the cache; doing it twice does no harm. Milliseconds. */
const repairAfterMs = 5 * 60_000;

/**
 * Loads a file of predictions into the database and then into the cache. What is loaded is the file as it is now, under its ETag of
 * now: an event of an earlier version finds the later one, and that one's own event then finds its work done.
 *
 * The ledger notes of each file whether the cache has it. What it lacks, as the process was killed or the cache was down, the next delivery of
 * the event, the next load of any file or `repairCache` brings there.
 *
 * @throws MessageError for an event of another container or blob.
 * @throws WrongHeaderError or MalformedFileError: the file is refused whole.
 * @throws DatabaseError or LakeError: the host delivers again, and nothing of the file is in the database until then.
 */
export async function loadPredictions(event: BlobCreated, parts: LoadParts): Promise<LoadResult> {
    const { container, path: file } = event;
    if (container !== containers.predictions || !file.endsWith(predictionFileSuffix)) {
        throw new MessageError(
            `expected a ${predictionFileSuffix} blob of ${containers.predictions}, got ${container}/${file}; check the event subscription`,
        );
    }
    const blob = await parts.lake.find(container, file);
    if (blob === undefined) {
        return report({ file, etag: event.etag }, { outcome: "gone", rows: 0, rejected: 0, cached: false }, parts);
    }
    const version = { file, etag: blob.etag };
    const loaded = await load(version, parts);
    const cached = await refresh(version, loaded, parts);
    const result = report(version, { outcome: loaded.counts ? "loaded" : "repeated", rows: 0, rejected: 0, ...loaded.counts, cached }, parts);
    if (cached) {
        await repairCache(parts, repairsALoad);
    }
    return result;
}

function load(version: FileVersion, parts: LoadParts): Promise<DatabaseLoad> {
    const { lake, database, now, log, retryDelayMs = 500 } = parts;
    step(version, "opened", parts);
    return loadIntoDatabase(version, {
        database,
        open: () => lake.download(containers.predictions, version.file, version.etag),
        rejects: () => new Rejects(lake, version.file),
        now,
        step: (name, facts) => step(version, name, parts, facts),
        onRetry: (error) => log.warn(JSON.stringify({ event: "load", ...version, warning: "the database is tried again", reason: String(error) })),
        retryDelayMs,
    });
}

/** Puts the file's predictions into the cache. A cache that is down costs freshness, not the load. @returns whether they are there */
async function refresh(version: FileVersion, { outdated }: DatabaseLoad, parts: LoadParts): Promise<boolean> {
    if (outdated === undefined) {
        return true;
    }
    const { lake, database, cache, freshSeconds, log } = parts;
    try {
        await refreshCache(cache, freshSeconds, await lake.download(containers.predictions, version.file, version.etag), outdated);
    } catch (error) {
        if (!(error instanceof RefreshError)) {
            throw error;
        }
        log.warn(JSON.stringify({ event: "load", ...version, warning: error.message, then: "the next load or reconcile tries again" }));
        return false;
    }
    await database.session((session) => setCached(session, version));
    step(version, "cached", parts);
    return true;
}

/**
 * Brings files of before into the cache, which lacks them; the latest first. What fails here is warned of, and is for the next time.
 *
 * @param files most of them
 */
export async function repairCache(parts: LoadParts, files: number): Promise<void> {
    const { lake, database, now, log } = parts;
    const before = new Date(now().getTime() - repairAfterMs);
    try {
        for (const version of await database.session((session) => cachePending(session, before, files))) {
            const blob = await lake.find(containers.predictions, version.file);
            if (blob?.etag === version.etag) {
                await refresh(version, await load(version, parts), parts);
            } else {
                // Deleted or rewritten since: the cache gets the later version by that one's own load.
                await database.session((session) => setCached(session, version));
            }
        }
    } catch (error) {
        log.warn(JSON.stringify({ event: "load", warning: "the cache was not repaired", reason: String(error), then: "the next load or reconcile tries again" }));
    }
}

function step({ file, etag }: FileVersion, name: string, { log }: LoadParts, facts: object = {}): void {
    log.log(JSON.stringify({ event: "load", step: name, file, etag, ...facts }));
}

function report({ file, etag }: FileVersion, result: LoadResult, { log }: LoadParts): LoadResult {
    log.log(JSON.stringify({ event: "load", file, etag, ...result }));
    return result;
}
