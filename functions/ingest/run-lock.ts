import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lake } from "../clients/lake";
import type { LakeLease } from "../clients/lake-lease";
import { containers } from "../contracts";

/** How the lock is held. */
export interface RunLockOptions {
    /** For how long it stays taken when its holder was killed: 15 to 60 seconds. @default 30 */
    readonly leaseSeconds?: number;
    /** For how long to wait for it. @default a little longer than a dead holder keeps it */
    readonly waitMs?: number;
    /** How long to wait before the lock is asked for again. @default 2,000 */
    readonly askEveryMs?: number;
}

/** The lock went to somebody else, or its service could not be asked in time: the run ends. */
export class LockLostError extends Error {
    override readonly name = "LockLostError";
    readonly retryable = true;
}

/** Blob of the lock in the container of the runs. */
export const lockPath = "ingest.lock";

/**
 * Works alone: of all who want to at a time, one does. A holder that was killed keeps the lock for the lease's time, so whoever comes waits
 * that long, and finds it still taken only where somebody is at work.
 *
 * @param work gets the signal that the lock is lost
 * @returns undefined when somebody else is at work
 */
export async function alone<T>(
    lake: Lake,
    { leaseSeconds = 30, waitMs = (leaseSeconds + 5) * 1_000, askEveryMs = 2_000 }: RunLockOptions,
    work: (lost: AbortSignal) => Promise<T>,
): Promise<{ readonly result: T } | undefined> {
    const lease = await acquire(lake, leaseSeconds, waitMs, askEveryMs);
    if (lease === undefined) {
        return undefined;
    }
    const lost = new AbortController();
    const ended = new AbortController();
    // Each call of the work listens to it.
    setMaxListeners(0, lost.signal);
    const keeping = keep(lease, leaseSeconds * 1_000, ended.signal, lost);
    try {
        return { result: await work(lost.signal) };
    } finally {
        ended.abort();
        await keeping;
        // It ends by itself if this fails.
        await lease.release().catch(() => undefined);
    }
}

async function acquire(lake: Lake, seconds: number, waitMs: number, askEveryMs: number): Promise<LakeLease | undefined> {
    const until = performance.now() + waitMs;
    for (;;) {
        const lease = await lake.lease(containers.runs, lockPath, seconds);
        if (lease !== undefined || performance.now() + askEveryMs > until) {
            return lease;
        }
        await sleep(askEveryMs);
    }
}

/** Renews the lease until the work has ended; says so when it is lost or may be. */
async function keep(lease: LakeLease, leaseMs: number, ended: AbortSignal, lost: AbortController): Promise<void> {
    let heldUntil = performance.now() + leaseMs;
    while (!ended.aborted) {
        await sleep(leaseMs / 3, undefined, { signal: ended }).catch(() => undefined);
        if (ended.aborted) {
            return;
        }
        const asked = performance.now();
        try {
            const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(heldUntil - asked)));
            if (!(await lease.renew(AbortSignal.any([ended, timeout])))) {
                lost.abort(new LockLostError("another run took the lock"));
                return;
            }
            heldUntil = asked + leaseMs;
        } catch (error) {
            if (!ended.aborted && performance.now() >= heldUntil) {
                lost.abort(new LockLostError("the lock could not be renewed in time", { cause: error }));
                return;
            }
        }
    }
}
