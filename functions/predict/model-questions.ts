import { LRUCache } from "lru-cache";
import type { Prediction } from "../prediction";
import type { Features } from "./features";

/**
 * For how long an answer is shared after it was stored. A request that read the cache a moment before, and is told now that nothing is
 * there, would ask again: longer than the longest read (500 ms), on a process that is late with everything.
 */
const keepMs = 1_000;
/** Most answers that are kept so, some kilobytes each. */
const keptAnswers = 5_000;

/** A player to ask the model about. */
export interface Question {
    readonly playerId: string;
    readonly features: Features;
}

/** What the model says of one player, or why it says nothing. */
export type ModelAnswer =
    | { readonly prediction: Prediction }
    /** Why the model refuses the player's features. */
    | { readonly refusal: string }
    | { readonly fault: unknown };

/** A question with its answer, shared by all who ask it. */
export interface Entry extends Question {
    /** Player and inputs. */
    readonly key: string;
    readonly inputsFingerprint: string;
    readonly batch: Batch;
    /** The latest of those who wait for it. */
    deadline: number;
    /** When the model was asked: milliseconds since 1970. */
    askedAt: number | undefined;
    answer: ModelAnswer | undefined;
}

/** Questions of one call. */
export interface Batch {
    readonly entries: Map<string, Entry>;
    /** Settled when every entry has its answer. */
    readonly answered: Promise<void>;
    readonly settle: () => void;
    state: "gathering" | "waiting" | "sent";
    stored: Promise<unknown>;
}

/** The questions that are being asked, and those that were answered just now. */
export class ModelQuestions {
    private readonly open = new Map<string, Entry>();
    private readonly answered: LRUCache<string, Entry>;

    /** @param now milliseconds since 1970 */
    constructor(private readonly now: () => number) {
        this.answered = new LRUCache({ max: keptAnswers, ttl: keepMs, ttlResolution: 0, perf: { now } });
    }

    /**
     * The entry that whoever asks this may share.
     *
     * @param maxAgeMs greatest age of an answer; 0 takes none that is already there
     */
    find(key: string, maxAgeMs: number): Entry | undefined {
        const entry = this.open.get(key) ?? this.answered.get(key);
        const usable = entry?.answer === undefined || (maxAgeMs > 0 && this.now() - (entry.askedAt ?? 0) <= maxAgeMs);
        return usable ? entry : undefined;
    }

    add(entry: Entry): void {
        this.open.set(entry.key, entry);
    }

    /** Keeps entries, whose answers are stored from here on, for a moment more. */
    keep(entries: readonly Entry[]): void {
        for (const entry of this.drop(entries)) {
            this.answered.set(entry.key, entry);
        }
    }

    /** Shares entries with nobody from here on. @returns those that were shared until now */
    drop(entries: readonly Entry[]): Entry[] {
        const dropped = entries.filter((entry) => this.open.get(entry.key) === entry);
        for (const { key } of dropped) {
            this.open.delete(key);
        }
        return dropped;
    }
}
