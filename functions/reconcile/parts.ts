import type { Ledger } from "../batches/ledger";
import type { BatchEndpoint } from "../clients/batch-endpoint";
import type { Lake } from "../clients/lake";
import type { Queues } from "../clients/queues";

/** What following the batches needs. */
export interface ReconcileParts {
    readonly lake: Lake;
    readonly queues: Queues;
    readonly endpoint: BatchEndpoint;
    readonly ledger: Ledger;
    readonly now: () => Date;
    /** Takes one line of JSON an event. */
    readonly log: (line: string) => void;
}

/** Logs one step of following a batch. */
export function logStep({ log }: Pick<ReconcileParts, "log">, step: string, more: object): void {
    log(JSON.stringify({ event: "reconcile", step, ...more }));
}
