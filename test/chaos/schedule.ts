import fc from "fast-check";
import type { JobEnd } from "./batch-jobs";
import { type Server, servers } from "./world";

/** What happens to the worker of an invocation: a kill at its nth outside call, or the restart of a server then. */
export type Disturbance =
    | { readonly kind: "none" }
    | { readonly kind: "kill"; readonly call: number }
    | { readonly kind: "restart"; readonly server: Server; readonly call: number };

/** One thing that happens. Events are taken by their number among those that wait, counted round. */
export type Action =
    /** A timer fires: that of the copying, or that of following the batches. */
    | { readonly do: "ingest" | "reconcile"; readonly with: Disturbance }
    /** An event is delivered; when it stays, it is delivered again later although its work was done. */
    | { readonly do: "deliver"; readonly event: number; readonly stays: boolean; readonly with: Disturbance }
    /** Two invocations at once: of one event twice, or of two events. */
    | { readonly do: "two at once"; readonly events: readonly [number, number]; readonly kill: number | undefined }
    /** The word of a written file or of a job gets lost. */
    | { readonly do: "lose"; readonly event: number }
    /** The jobs that were submitted run to their end, which may be a bad one. */
    | { readonly do: "jobs"; readonly end: JobEnd }
    /** The game writes the next of its files. */
    | { readonly do: "source" };

/** A run of the cold path: what happens, in order, before it is left alone to come to its end. */
export type Schedule = readonly Action[];

/** Outside calls of most invocations; one that makes fewer comes to its end. */
const mostCalls = 45;

const call = fc.integer({ min: 1, max: mostCalls });
const kill = fc.record({ kind: fc.constant("kill" as const), call });
const none = fc.constant({ kind: "none" } as const);
/** A restart of the lake or of the source takes seconds, and has tests of its own. */
const restarted = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Server>("cache", "batch endpoint") },
    { weight: 2, arbitrary: fc.constant<Server>("database") },
    { weight: 1, arbitrary: fc.constantFrom<Server>(...servers) },
);
const restart = fc.record({ kind: fc.constant("restart" as const), server: restarted, call });
const disturbance: fc.Arbitrary<Disturbance> = fc.oneof(
    { weight: 5, arbitrary: none },
    { weight: 4, arbitrary: kill },
    { weight: 1, arbitrary: restart },
);
const event = fc.nat({ max: 11 });
const end = fc.oneof(
    { weight: 4, arbitrary: fc.constant<JobEnd>("Completed") },
    { weight: 2, arbitrary: fc.constant<JobEnd>("Failed") },
    { weight: 1, arbitrary: fc.constant<JobEnd>("Canceled") },
);
const action: fc.Arbitrary<Action> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant("ingest" as const), with: disturbance }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("reconcile" as const), with: disturbance }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("deliver" as const), event, stays: fc.boolean(), with: disturbance }) },
    {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant("two at once" as const), events: fc.tuple(event, event), kill: fc.option(call, { nil: undefined }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), event }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("jobs" as const), end }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("source" as const) }) },
);

/** So many schedules, the same for the same seed. */
export function schedules(seed: number, count: number): Schedule[] {
    return fc.sample(fc.array(action, { minLength: 4, maxLength: 12 }), { seed, numRuns: count });
}
