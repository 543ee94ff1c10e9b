import type { OnlineEndpoint } from "../functions/clients/online-endpoint";
import type { OnlineAnswer } from "../functions/clients/online-endpoint-protocol";
import type { RecordedRequest } from "../functions/predict/recorded-requests";

/** What a deployment said to a request, or why it said nothing. */
export type Reply = { readonly ms: number } & ({ readonly answer: OnlineAnswer } | { readonly fault: Error });

/** One request with what both deployments said to it. */
export interface Exchange {
    readonly players: number;
    readonly live: Reply;
    readonly candidate: Reply;
}

type Model = Pick<OnlineEndpoint, "predict">;

/** Longer than any handler waits: a slow answer is to be measured, not cut off. */
const longestCallMs = 10_000;

/**
 * Asks two deployments the recorded requests, one call at a time. Who is asked first changes from one request to the next, so that neither
 * has it easier.
 */
export async function replay(requests: readonly RecordedRequest[], models: { readonly live: Model; readonly candidate: Model }): Promise<Exchange[]> {
    const exchanges: Exchange[] = [];
    for (const [i, { players }] of requests.entries()) {
        if (i % 2 === 0) {
            const live = await ask(models.live, players);
            exchanges.push({ players: players.length, live, candidate: await ask(models.candidate, players) });
        } else {
            const candidate = await ask(models.candidate, players);
            exchanges.push({ players: players.length, live: await ask(models.live, players), candidate });
        }
    }
    return exchanges;
}

/** The recording has no ids, and the endpoint wants some: the players of a request are numbered. */
async function ask(model: Model, players: RecordedRequest["players"]): Promise<Reply> {
    const numbered = players.map((features, i) => ({ playerId: String(i + 1), features }));
    const startedAt = performance.now();
    try {
        const answer = await model.predict(numbered, { deadline: Date.now() + longestCallMs });
        return { ms: performance.now() - startedAt, answer };
    } catch (error) {
        return { ms: performance.now() - startedAt, fault: error instanceof Error ? error : new Error(String(error)) };
    }
}
