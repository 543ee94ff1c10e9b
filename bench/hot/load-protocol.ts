/** What is asked. */
export type Traffic =
    /** `GET` of one stored player, each connection in an order of its own. */
    | { readonly kind: "one" }
    /** `POST` of this many stored players, without features. */
    | { readonly kind: "many"; readonly players: number }
    /** `POST` of one player with features whom nobody has asked for before. */
    | { readonly kind: "new"; readonly prefix: string }
    /** `POST` of the very same player with features. */
    | { readonly kind: "same"; readonly playerId: string }
    /** Stored players one by one and by tens, new ones, and one request in a hundred that is wrong or that the model fails at. */
    | { readonly kind: "mixed"; readonly prefix: string };

/** One load. */
export interface Load {
    readonly url: string;
    readonly path: string;
    readonly traffic: Traffic;
    readonly connections: number;
    /** How long: a number of seconds, or of requests. */
    readonly length: { readonly seconds: number } | { readonly requests: number };
}

/** What came of it. */
export interface LoadResult {
    readonly requestsPerSecond: number;
    /** Of a request, in milliseconds. */
    readonly latency: { readonly mean: number; readonly p50: number; readonly p99: number };
    /** Answers by status; `0` counts connections that failed and answers that never came. */
    readonly statuses: Readonly<Record<string, number>>;
    /** Share of a core that the generator took, 0 to 1. */
    readonly generatorLoad: number;
}

export type LoadReply = { readonly result: LoadResult } | { readonly error: string };
