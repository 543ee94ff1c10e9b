/** How much is measured. */
export interface Scale {
    /** Runs of each contender. */
    readonly runs: number;
    /** Of one run under load. */
    readonly seconds: number;
    /**
     * Of the endurance row: before what is measured, and what is measured. V8 lets its heap grow in steps, the last of which some
     * 150,000 requests bring about; after that it stays what it is.
     */
    readonly warmUpRequests: number;
    readonly mixedRequests: number;
    /** Of the memory row. */
    readonly storedPlayers: number;
}

export const full: Scale = { runs: 5, seconds: 3, warmUpRequests: 200_000, mixedRequests: 100_000, storedPlayers: 1_000_000 };
/** To see that the bench works; its figures say little. */
export const quick: Scale = { runs: 2, seconds: 1, warmUpRequests: 2_000, mixedRequests: 4_000, storedPlayers: 50_000 };
