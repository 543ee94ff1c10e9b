import { createHash } from "node:crypto";
import * as z from "zod";
import type { BatchJob } from "../clients/batch-endpoint";
import type { Lake, LakeBlob } from "../clients/lake";
import { containers } from "../contracts";

/**
 * `submitting`: a job is being started, or who wanted to was killed over it. `refused`: the endpoint did not take the job, another try
 * follows. `submitted`: the endpoint has the job. `failed`: the job failed, another one follows. `completed`: all files were scored.
 * `poisoned`: given up, or completed but for some files; the message is in the poison queue. `superseded`: the folder has changed since.
 */
const status = z.enum(["submitting", "refused", "submitted", "failed", "completed", "poisoned", "superseded"]);

export const batchStateSchema = z.object({
    batch: z.string().describe("Names the folder in this version: the same content gives the same name."),
    folder: z.string().describe("The folder of `logs` that is scored."),
    marker: z.string().describe("ETag of the marker that the folder had when the batch was taken."),
    status,
    reason: z.string().optional().describe("Why it is not scored, or not wholly."),
    attempt: z.int().positive().describe("Which job this is, from 1."),
    failedJobs: z.int().min(0).describe("Jobs of this batch that failed."),
    refusals: z.int().min(0).describe("How often in a row the endpoint could not be asked for a job, or refused."),
    files: z.int().min(0).describe("Input files."),
    job: z.string().optional().describe("Azure ML's name of the job."),
    jobStatus: z.string().optional().describe("Azure ML's word for its state, when it was last asked."),
    outputPath: z.string().describe("The folder of `predictions` that the job writes to."),
    rows: z
        .object({
            in: z.int().min(0).describe("Rows of the files that were not refused."),
            scored: z.int().min(0),
            rejected: z.int().min(0).describe("Rows set aside: beside the predictions, in `.rejected.jsonl`."),
        })
        .optional()
        .describe("Known once the job has ended."),
    refusedFiles: z.array(z.object({ file: z.string(), reason: z.string() })).optional().describe("The first hundred of the files that were refused whole."),
    outputFiles: z.int().min(0).optional().describe("Files of predictions; known once the job has ended."),
    loaded: z
        .object({ files: z.int().min(0), rows: z.int().min(0), asked: z.int().min(0).describe("How often files that were missing were queued.") })
        .optional()
        .describe("What the database had of them when it was last asked."),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
});

/** State of one batch: a folder in one version. */
export type BatchState = z.infer<typeof batchStateSchema>;
export type BatchStatus = BatchState["status"];

/** A state as it was read, to be written over only if it is still that. */
export interface StoredBatch {
    readonly state: BatchState;
    readonly etag: string;
}

/** What a listing tells of a batch. */
export interface BatchEntry {
    readonly batch: string;
    readonly status: BatchStatus;
    /** Whether something is still to be done about it. */
    readonly open: boolean;
    readonly job: string | undefined;
    readonly createdAt: string;
    readonly folderHash: string;
}

/** So often the files that the ledger lacks are queued again: what fails then is in the poison queue of the loads, with its reason in the log. */
export const maxAsked = 12;

/** Whether something is still to be done: a job to start or to ask for, files to be loaded. */
export function isOpen(state: BatchState): boolean {
    switch (state.status) {
        case "submitting":
        case "refused":
        case "submitted":
        case "failed":
            return true;
        case "completed":
        case "poisoned":
            return state.outputFiles !== undefined && !isLoaded(state) && (state.loaded?.asked ?? 0) < maxAsked;
        case "superseded":
            return false;
    }
}

/** Whether all files of predictions are known to be in the database; none are once the job has ended without any. */
export function isLoaded({ outputFiles, loaded }: BatchState): boolean {
    return outputFiles !== undefined && (loaded?.files ?? 0) >= outputFiles;
}

/** A batch's state, or undefined when there is none. */
export async function readBatch(lake: Pick<Lake, "readText">, batch: string): Promise<StoredBatch | undefined> {
    const found = await lake.readText(containers.batches, `${batch}.json`);
    return found && { state: batchStateSchema.parse(JSON.parse(found.text)), etag: found.etag };
}

/** Writes a state, the first one or over another. @returns undefined when somebody else wrote meanwhile */
export async function writeBatch(lake: Pick<Lake, "writeText">, state: BatchState, over: StoredBatch | undefined): Promise<StoredBatch | undefined> {
    const condition = over === undefined ? ({ absent: true } as const) : { etag: over.etag };
    const metadata = {
        status: state.status,
        open: String(isOpen(state)),
        created: state.createdAt,
        folder: folderHash(state.folder),
        ...(state.job !== undefined && { job: state.job }),
    };
    const etag = await lake.writeText(containers.batches, `${state.batch}.json`, JSON.stringify(state), condition, metadata);
    return etag === undefined ? undefined : { state, etag };
}

/** Writes a batch's state with a change, at this time. @returns undefined when somebody else wrote meanwhile */
export function changeBatch(
    { lake, now }: { readonly lake: Pick<Lake, "writeText">; readonly now: () => Date },
    batch: StoredBatch,
    change: Partial<BatchState>,
): Promise<StoredBatch | undefined> {
    return writeBatch(lake, { ...batch.state, ...change, updatedAt: now().toISOString() }, batch);
}

/** The change of a batch whose job the endpoint has. */
export function submittedAs({ name, status: jobStatus }: BatchJob): Partial<BatchState> {
    return { status: "submitted", refusals: 0, job: name, jobStatus };
}

/** All batches, in no order; none of their states is read. */
export async function* listBatches(lake: Pick<Lake, "list">): AsyncGenerator<BatchEntry> {
    for await (const blob of lake.list(containers.batches, "")) {
        yield entryOf(blob);
    }
}

/** Stands for a folder in a blob's metadata, which takes no text but ASCII. */
export function folderHash(folder: string): string {
    return createHash("sha256").update(folder).digest("hex").slice(0, 16);
}

function entryOf({ path, metadata }: LakeBlob): BatchEntry {
    return {
        batch: path.replace(/\.json$/, ""),
        status: status.parse(metadata["status"]),
        open: metadata["open"] === "true",
        job: metadata["job"],
        createdAt: metadata["created"] ?? "",
        folderHash: metadata["folder"] ?? "",
    };
}
