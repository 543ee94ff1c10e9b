import * as z from "zod";
import type { Lake } from "../clients/lake";
import { DatabaseError } from "../clients/database-errors";
import { inParallel } from "../in-parallel";
import type { FileVersion } from "../load/ledger";
import { TimeoutError, within } from "../within";
import type { Ledger } from "./ledger";
import { outputFilesOf } from "./output";
import { type BatchState, batchStateSchema, isLoaded } from "./state";

/** Longest wait for the database, in milliseconds: whoever asks is told of the batches without it then. */
const waitMs = 5_000;
/** Output folders that are listed at a time. */
const listingsAtATime = 16;

/** A batch as it is told of: with what the database has of it now. */
export const batchReportSchema = batchStateSchema.extend({
    outputFiles: z.int().min(0).describe("Files of predictions; of a job that runs, those that it has written so far."),
    loaded: batchStateSchema.shape.loaded
        .unwrap()
        .nullable()
        .describe("What the database has of them now. `null` where it does not answer: `note` says why."),
});

export type BatchReport = z.output<typeof batchReportSchema>;

export interface LoadedParts {
    readonly lake: Pick<Lake, "list">;
    readonly ledger: Ledger;
    /** Told why the database could not be asked. */
    readonly warn: (error: unknown) => void;
}

/**
 * Looks up how much of the batches' predictions the database has now. Where the states say that all of it is there, nothing is asked.
 *
 * @returns a note as well when the database does not answer: what is not known without it is `null` then
 * @throws LakeError
 */
export async function withLoaded(
    states: readonly BatchState[],
    { lake, ledger, warn }: LoadedParts,
): Promise<{ readonly batches: BatchReport[]; readonly note?: string }> {
    const outputs = new Map<string, readonly FileVersion[]>();
    const unsure = states.filter((state) => !isLoaded(state));
    await inParallel(unsure, listingsAtATime, async ({ batch, outputPath }) => {
        const files: FileVersion[] = [];
        for await (const version of outputFilesOf(lake, outputPath)) {
            files.push(version);
        }
        outputs.set(batch, files);
    });
    const found = await rowsOf([...outputs.values()].flat(), ledger, warn);
    return {
        batches: states.map((state) => reportOf(state, outputs.get(state.batch), found)),
        ...(typeof found === "string" && { note: found }),
    };
}

/** The rows that were loaded of each file, or why that is not known. */
async function rowsOf(files: readonly FileVersion[], ledger: Ledger, warn: LoadedParts["warn"]): Promise<ReadonlyMap<string, number> | string> {
    try {
        return await within(waitMs, () => ledger.rowsOf(files));
    } catch (error) {
        if (!(error instanceof DatabaseError || error instanceof TimeoutError)) {
            throw error;
        }
        warn(error);
        const reason = error instanceof DatabaseError ? error.code : error.message;
        return `the database does not say what it has of the predictions (${reason}; the log has more): "loaded" is null where that is not known`;
    }
}

function reportOf(state: BatchState, files: readonly FileVersion[] | undefined, found: ReadonlyMap<string, number> | string): BatchReport {
    const { outputFiles = 0, loaded = { files: 0, rows: 0, asked: 0 } } = state;
    if (files === undefined) {
        return { ...state, outputFiles, loaded };
    }
    if (typeof found === "string") {
        return { ...state, outputFiles: files.length, loaded: files.length === 0 ? loaded : null };
    }
    const rows = files.flatMap(({ file }) => found.get(file) ?? []);
    return { ...state, outputFiles: files.length, loaded: { files: rows.length, rows: rows.reduce((sum, each) => sum + each, 0), asked: loaded.asked } };
}
