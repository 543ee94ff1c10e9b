import type { Lake } from "../clients/lake";
import { containers } from "../contracts";
import { compareStatistics, type DriftLimits } from "./compare";
import { type JobCounts, readJobCounts } from "./job-counts";
import { type BatchName, type DayReport, keepReport, type LeftOut, reportPath } from "./report";
import { newestScoredDay, type ScoredDay } from "./scored-day";
import { sumStatistics } from "./statistics";

/** What a run needs. */
export interface DriftParts {
    readonly lake: Pick<Lake, "list" | "readText" | "writeText">;
    /** Version of the model in service. */
    readonly modelVersion: string;
    readonly limits: DriftLimits;
    /** Takes what is to be shown as metrics. */
    readonly record: (report: DayReport) => void;
    /** Takes one line of JSON an event. */
    readonly log: (line: string) => void;
}

/**
 * Compares the players of the newest day that was scored with those that the model in service was trained on. A run keeps its report before it
 * says anything, and does the same when it is repeated: however often it is started or killed, the last one leaves what one would.
 *
 * @returns undefined where there is nothing to compare; the log says why
 * @throws StatisticsError for counts that are none, LakeError
 */
export async function checkDrift(parts: DriftParts): Promise<DayReport | undefined> {
    const scored = await newestScoredDay(parts.lake);
    if (scored === undefined) {
        return nothing(parts, { reason: "no batch has been scored yet" });
    }
    const { counted, leftOut } = await countsOf(scored, parts);
    const [first] = counted;
    if (first === undefined) {
        return nothing(parts, { day: scored.day, reason: "no batch of the day was counted by the model in service", modelVersion: parts.modelVersion, leftOut });
    }
    const { modelVersion, limits } = parts;
    const players = sumStatistics(
        counted.map((each) => each.players),
        counted.map(({ name }) => `batch ${name.batch}`),
    );
    const report: DayReport = {
        day: scored.day,
        ...compareStatistics(first.training, players, limits),
        modelVersion,
        limits,
        batches: counted.map(({ name }) => name),
        leftOut,
        others: scored.others,
    };
    if (!(await keepReport(parts.lake, report))) {
        // Whoever wrote it may have seen fewer batches.
        return checkDrift(parts);
    }
    parts.record(report);
    tell(parts, report);
    return report;
}

type Counted = JobCounts & { readonly name: BatchName };

async function countsOf({ batches }: ScoredDay, { lake, modelVersion }: DriftParts): Promise<{ readonly counted: Counted[]; readonly leftOut: LeftOut[] }> {
    const counted: Counted[] = [];
    const leftOut: LeftOut[] = [];
    for (const state of batches) {
        const name = { batch: state.batch, folder: state.folder };
        const counts = await readJobCounts(lake, state);
        const version = counts?.training.modelVersion;
        if (counts === undefined) {
            leftOut.push({ ...name, reason: "its job wrote no counts of players" });
        } else if (version !== modelVersion) {
            leftOut.push({ ...name, reason: `it was scored by model ${version ?? "unknown"}` });
        } else {
            counted.push({ ...counts, name });
        }
    }
    return { counted, leftOut };
}

function nothing({ log }: DriftParts, more: object): undefined {
    log(JSON.stringify({ event: "drift", outcome: "nothing-to-compare", ...more }));
}

function tell({ log }: DriftParts, { day, modelVersion, players, drifted, tooFew, leftOut, others }: DayReport): void {
    const outcome = tooFew ? "too-few-players" : drifted.length > 0 ? "drifted" : "steady";
    const report = `${containers.runs}/${reportPath(day)}`;
    log(JSON.stringify({ event: "drift", outcome, day, modelVersion, players: players.now, drifted, leftOut: leftOut.length, others, report }));
}
