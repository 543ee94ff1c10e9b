import { readFolder } from "../batches/folder";
import type { BatchState } from "../batches/state";
import type { Lake } from "../clients/lake";
import { containers, predictionFileSuffix, summariesFolder } from "../contracts";
import * as z from "zod";
import { inParallel } from "../in-parallel";

/** What `ml/batch_score.py` says of an input file. */
const summarySchema = z.union([
    z.object({ file: z.string(), bytes: z.number(), scored: z.number(), rejected: z.number() }),
    z.object({ file: z.string(), bytes: z.number(), refused: z.string() }),
]);

/** Refused files that a state names: it must stay small. */
const namedFiles = 100;
/** Summaries that are read at a time. */
const readsAtATime = 16;

/** What a job that has ended did. */
export interface JobOutcome {
    readonly rows: NonNullable<BatchState["rows"]>;
    readonly refused: number;
    readonly refusedFiles: NonNullable<BatchState["refusedFiles"]>;
    readonly outputFiles: number;
    /** Names of input files of which nothing is said. None when the folder has changed since, as they are not known then. */
    readonly unscored: readonly string[];
}

/** Adds up what a job's output folder says. */
export async function outcomeOf(lake: Lake, { batch, folder, outputPath }: BatchState): Promise<JobOutcome> {
    const summaries: string[] = [];
    let outputFiles = 0;
    for await (const { path } of lake.list(containers.predictions, `${outputPath}/`)) {
        if (path.startsWith(`${outputPath}/${summariesFolder}/`)) {
            summaries.push(path);
        } else if (path.endsWith(predictionFileSuffix)) {
            outputFiles += 1;
        }
    }
    const rows = { in: 0, scored: 0, rejected: 0 };
    const refusedFiles: JobOutcome["refusedFiles"] = [];
    let refused = 0;
    const told = new Set<string>();
    await inParallel(summaries, readsAtATime, async (path) => {
        const content = await lake.readText(containers.predictions, path);
        if (content === undefined) {
            return;
        }
        const summary = summarySchema.parse(JSON.parse(content.text));
        told.add(keyOf(summary.file, summary.bytes));
        if ("refused" in summary) {
            refused += 1;
            refusedFiles.push({ file: summary.file, reason: summary.refused });
        } else {
            rows.scored += summary.scored;
            rows.rejected += summary.rejected;
            rows.in += summary.scored + summary.rejected;
        }
    });
    const untold: string[] = [];
    const content = await readFolder(lake, folder, ({ name, size }) => {
        if (!told.has(keyOf(name, size))) {
            untold.push(name);
        }
    });
    refusedFiles.sort((a, b) => (a.file < b.file ? -1 : 1)).splice(namedFiles);
    return { rows, refused, refusedFiles, outputFiles, unscored: content?.batch === batch ? untold : [] };
}

/** A job sees no path of the lake, only names: files of one name and size, in two folders, are one here. */
function keyOf(name: string, size: number): string {
    return `${size} ${name}`;
}
