import { ExponentialBackoff, handleType, retry } from "cockatiel";
import type { Readable } from "node:stream";
import { CacheUnavailableError, type PredictionCache } from "../clients/cache";
import type { FingerprintedPrediction } from "../prediction";
import { readPredictions } from "./predictions-file";
import type { RowSet } from "./row-set";

/** Predictions that are given to the cache at a time; it sends them in chunks of its own. */
const batchSize = 2_000;

/** A command has half a second: one that was slow for once must not cost the whole file its refresh. A cache that is down is given up after two seconds. */
const putting = retry(handleType(CacheUnavailableError), { maxAttempts: 3, backoff: new ExponentialBackoff({ initialDelay: 200, maxDelay: 1_000 }) });

/** The cache did not take all of the predictions. */
export class RefreshError extends Error {
    override readonly name = "RefreshError";
    readonly retryable = true;
}

/**
 * Puts a file's predictions into the cache, but for the rows that are older than the database. The file is read again, instead of its rows
 * being kept in memory; while the cache takes a batch, the next is read. What it does not take at once is tried again for a short time.
 *
 * @throws RefreshError when the cache does not take them, or what reading the file throws
 */
export async function refreshCache(
    cache: Pick<PredictionCache, "putMany">,
    freshSeconds: number,
    body: Readable,
    outdated: RowSet,
): Promise<void> {
    let row = 0;
    let batch: FingerprintedPrediction[] = [];
    let underWay: Promise<void> = Promise.resolve();
    const put = async (): Promise<void> => {
        await underWay;
        const full = batch;
        batch = [];
        underWay = putting.execute(() => cache.putMany(full, freshSeconds)).catch((cause: unknown) => {
            throw new RefreshError(`the cache was not refreshed: ${String(cause)}`, { cause });
        });
        // Whoever waits for it next gets the error; until then it is no unhandled one.
        underWay.catch(() => undefined);
    };
    for await (const { predictions } of readPredictions(body)) {
        for (const prediction of predictions) {
            if (!outdated.has(row)) {
                batch.push(prediction);
            }
            row += 1;
        }
        if (batch.length >= batchSize) {
            await put();
        }
    }
    await put();
    await underWay;
}
