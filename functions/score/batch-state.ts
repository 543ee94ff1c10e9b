import { createHash } from "node:crypto";
import * as z from "zod";
import { batchCallTimeoutMs } from "../clients/batch-endpoint";
import type { Lake } from "../clients/lake";
import { containers } from "../contracts";

const schema = z.object({
    /** Folder of `logs` that is scored. */
    folder: z.string(),
    /** ETag of the marker that completed it. */
    marker: z.string(),
    /**
     * `submitting`: somebody is about to, or was killed over it. `submitted`: the endpoint has the job. `refused`: it did not take it.
     */
    status: z.enum(["submitting", "submitted", "refused"]),
    /** Which try this is, from 1. */
    attempt: z.number().int().positive(),
    /** Folder of `predictions` that the job writes to. */
    outputPath: z.string(),
    /** The endpoint's name for the job, once submitted. */
    jobName: z.string().optional(),
    /** What the endpoint said when it refused. */
    reason: z.string().optional(),
    /** When this state was written: ISO 8601, UTC. */
    updatedAt: z.iso.datetime(),
});

/** State of one batch: a folder in one version. */
export type BatchState = z.infer<typeof schema>;

/** A batch that this process may submit. */
export interface Claim {
    readonly key: string;
    readonly state: BatchState;
    /** ETag of the state, to write the next one only over it. */
    readonly etag: string;
}

/** Another delivery is submitting this batch right now, or was killed over it a moment ago: the next delivery decides. */
export class BatchBusyError extends Error {
    override readonly name = "BatchBusyError";
    readonly retryable = true;
}

/** A claim that is older than the call can take was left by a process that is gone. */
const claimMs = 2 * batchCallTimeoutMs;

/** Name of a batch: the same for every delivery of the same version of a folder. */
export function batchKey(folder: string, marker: string): string {
    return createHash("sha256").update(`${folder}\n${marker}`).digest("hex").slice(0, 16);
}

/**
 * Takes the batch for submission. Of several deliveries one gets it:
 *
 *     first:   absent -> submitting ------------------------> submitted
 *     second:            sees submitting, young: busy          sees submitted: done
 *     later:             sees submitting, old: takes it over, as the next attempt with an output folder of its own
 *
 * @returns undefined when it is submitted already.
 * @throws BatchBusyError
 */
export async function claimBatch(lake: Lake, folder: string, marker: string, now: () => Date): Promise<Claim | undefined> {
    const key = batchKey(folder, marker);
    const path = statePath(key);
    const existing = await lake.readText(containers.batches, path);
    const previous = existing && schema.parse(JSON.parse(existing.text));
    if (previous?.status === "submitted") {
        return undefined;
    }
    if (previous?.status === "submitting" && now().getTime() - Date.parse(previous.updatedAt) < claimMs) {
        throw new BatchBusyError(`batch ${key} of folder ${JSON.stringify(folder)} is being submitted since ${previous.updatedAt}`);
    }
    const attempt = (previous?.attempt ?? 0) + 1;
    const state: BatchState = {
        folder,
        marker,
        status: "submitting",
        attempt,
        outputPath: [folder, attempt === 1 ? key : `${key}-${attempt}`].filter(Boolean).join("/"),
        updatedAt: now().toISOString(),
    };
    const condition = existing ? { etag: existing.etag } : ({ absent: true } as const);
    const etag = await lake.writeText(containers.batches, path, JSON.stringify(state), condition);
    if (etag === undefined) {
        throw new BatchBusyError(`batch ${key} of folder ${JSON.stringify(folder)} was taken by another delivery`);
    }
    return { key, state, etag };
}

/** Writes how the submission went; false when another delivery has taken the batch over meanwhile. */
export async function settleBatch(
    lake: Lake,
    claim: Claim,
    outcome: Pick<BatchState, "status" | "jobName" | "reason">,
    now: () => Date,
): Promise<boolean> {
    const state: BatchState = { ...claim.state, ...outcome, updatedAt: now().toISOString() };
    const written = await lake.writeText(containers.batches, statePath(claim.key), JSON.stringify(state), { etag: claim.etag });
    return written !== undefined;
}

function statePath(key: string): string {
    return `${key}.json`;
}
