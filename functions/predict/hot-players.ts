import { LRUCache } from "lru-cache";
import type { StoredPrediction } from "../clients/cache";
import type { BytesResponse } from "./bytes-response";

/** A player in memory. */
export interface HotPlayer {
    readonly prediction: StoredPrediction;
    /** The answer to who asks for this player alone, once someone has, and when it ages: milliseconds since 1970. */
    answer?: { readonly response: BytesResponse; readonly until: number };
}

/**
 * The players that this process was asked about just now, in its own memory: a player whom everyone asks about costs Redis nothing.
 * An entry lives a second or two from when it was put in, however often it is read, so that is how much older than Redis an answer may be.
 */
export class HotPlayers {
    private readonly players: LRUCache<string, HotPlayer> | undefined;

    /** @param options.max most players, the longest unused leave first; 0 keeps none */
    constructor(options: { readonly max: number; readonly ttlMs: number; readonly now: () => number }) {
        const { max, ttlMs, now } = options;
        this.players = max > 0 ? new LRUCache({ max, ttl: ttlMs, ttlResolution: 0, perf: { now } }) : undefined;
    }

    get(playerId: string): HotPlayer | undefined {
        return this.players?.get(playerId);
    }

    /** Takes a prediction in, unless there is a newer one: an answer of Redis may have been overtaken by one of the model. */
    put(prediction: StoredPrediction): void {
        if (this.players === undefined) {
            return;
        }
        const present = this.players.get(prediction.playerId);
        if (present === undefined || present.prediction.scoredAt < prediction.scoredAt) {
            this.players.set(prediction.playerId, { prediction });
        }
    }

    get size(): number {
        return this.players?.size ?? 0;
    }
}
