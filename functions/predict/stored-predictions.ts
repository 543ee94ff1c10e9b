import { CacheUnavailableError, commandTimeoutMs, type PredictionCache, type StoredPrediction } from "../clients/cache";
import type { FingerprintedPrediction } from "../prediction";
import { Circuit } from "./circuit";

/** The cache as a request sees it: its share of the time, and no wait for a cache that is known to be down. */
export class StoredPredictions {
    private readonly circuit = new Circuit(
        (error) => error instanceof CacheUnavailableError,
        (cause) => new CacheUnavailableError("the cache is left alone for a second: its last answers were errors", { cause }),
    );
    private readonly readMs: number;

    /** @param deadlineMs time for a whole request; reading takes at most half of it, so that the model has the other */
    constructor(
        private readonly cache: Pick<PredictionCache, "getMany" | "putMany">,
        deadlineMs: number,
    ) {
        this.readMs = Math.min(commandTimeoutMs, deadlineMs / 2);
    }

    /**
     * The stored predictions, one for each id and in their order; undefined where there is none.
     *
     * @throws CacheUnavailableError
     */
    read(playerIds: readonly string[]): Promise<(StoredPrediction | undefined)[]> {
        return this.circuit.run(() => this.inTime(this.cache.getMany(playerIds)));
    }

    /** @throws CacheUnavailableError @throws UnstorablePredictionError */
    async write(predictions: readonly FingerprintedPrediction[]): Promise<void> {
        // Reads find out whether the cache is back.
        if (this.circuit.closed) {
            await this.cache.putMany(predictions);
        }
    }

    private async inTime<T>(reading: Promise<T>): Promise<T> {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<never>((_, reject) => {
            timer = setTimeout(
                () => reject(new CacheUnavailableError(`the cache did not answer within ${this.readMs} ms`)),
                this.readMs,
            );
        });
        try {
            return await Promise.race([reading, late]);
        } finally {
            clearTimeout(timer);
        }
    }
}
