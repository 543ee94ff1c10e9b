import type { PredictionCache } from "../clients/cache";
import type { Database } from "../clients/database";
import type { Lake, LakeBlob } from "../clients/lake";
import { containers, predictionFileSuffix } from "../contracts";
import { type BlobCreated, MessageError } from "../events/blob-created";
import { readPredictions } from "./predictions-file";
import { Rejects } from "./rejects";
import { type LoadCounts, loadOnce, mergePredictions } from "./store";

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

/**
 * Loads a file of predictions into the database and then into the cache. What is loaded is the file as it is now, under its ETag of
 * now: an event of an earlier version finds the later one, and that one's own event then finds its work done.
 *
 * A repeated delivery refreshes the cache again, as the first may have been killed between the two.
 *
 * @throws MessageError for an event of another container or blob.
 * @throws WrongHeaderError or MalformedFileError: the file is refused whole.
 * @throws DatabaseError or LakeError: the host delivers again, and nothing of the file is in the database until then.
 */
export async function loadPredictions(event: BlobCreated, parts: LoadParts): Promise<LoadResult> {
    const { container, path } = event;
    if (container !== containers.predictions || !path.endsWith(predictionFileSuffix)) {
        throw new MessageError(
            `expected a ${predictionFileSuffix} blob of ${containers.predictions}, got ${container}/${path}; check the event subscription`,
        );
    }
    const blob = await parts.lake.find(container, path);
    const result = blob === undefined ? { outcome: "gone" as const, rows: 0, rejected: 0, cached: false } : await loadBlob(blob, parts);
    parts.log.log(JSON.stringify({ event: "load", file: path, etag: blob?.etag ?? event.etag, ...result }));
    return result;
}

async function loadBlob(blob: LakeBlob, { lake, database, cache, freshSeconds, now, log }: LoadParts): Promise<LoadResult> {
    const open = () => lake.download(containers.predictions, blob.path, blob.etag);

    const counts = await loadOnce(database, { file: blob.path, etag: blob.etag }, now, async (session): Promise<LoadCounts> => {
        const rejects = new Rejects(lake, blob.path);
        let rows = 0;
        for await (const { predictions, rejected } of readPredictions(await open())) {
            await mergePredictions(session, predictions);
            await rejects.add(rejected);
            rows += predictions.length;
        }
        await rejects.finish();
        return { rows, rejected: rejects.count };
    });

    // A second pass over the file instead of its rows in memory; only what is committed may be served.
    const cached = await refresh(cache, freshSeconds, open, (error) =>
        log.warn(JSON.stringify({ event: "load", file: blob.path, warning: "the cache was not refreshed", reason: String(error) })),
    );
    return { outcome: counts === undefined ? "repeated" : "loaded", rows: counts?.rows ?? 0, rejected: counts?.rejected ?? 0, cached };
}

/** Puts the file's predictions into the cache. A cache that is down costs freshness, not the load. */
async function refresh(
    cache: LoadParts["cache"],
    freshSeconds: number,
    open: () => ReturnType<Lake["download"]>,
    onFailure: (error: unknown) => void,
): Promise<boolean> {
    for await (const { predictions } of readPredictions(await open())) {
        try {
            await cache.putMany(predictions, freshSeconds);
        } catch (error) {
            onFailure(error);
            return false;
        }
    }
    return true;
}
