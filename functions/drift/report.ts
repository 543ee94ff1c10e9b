import type { BatchState } from "../batches/state";
import type { Lake } from "../clients/lake";
import { containers } from "../contracts";
import type { DriftLimits, DriftReport } from "./compare";

/** What a run found out about a day. Kept as JSON in the container `runs` under `reportPath`, and the same for the same batches. */
export interface DayReport extends DriftReport {
    /** When the batches were taken to be scored: a date of UTC. */
    readonly day: string;
    readonly modelVersion: string;
    readonly limits: DriftLimits;
    /** The batches whose players were compared. */
    readonly batches: readonly BatchName[];
    /** Batches of the day that completed and could not be compared, and why. */
    readonly leftOut: readonly LeftOut[];
    /** How many batches of this day or of later ones have not completed. */
    readonly others: number;
}

export type BatchName = Pick<BatchState, "batch" | "folder">;
export type LeftOut = BatchName & { readonly reason: string };

export function reportPath(day: string): string {
    return `drift/${day}.json`;
}

/** Keeps the day's report, over an earlier one. @returns false when another run wrote it meanwhile */
export async function keepReport(lake: Pick<Lake, "readText" | "writeText">, report: DayReport): Promise<boolean> {
    const path = reportPath(report.day);
    const text = JSON.stringify(report, undefined, 2);
    const earlier = await lake.readText(containers.runs, path);
    if (earlier?.text === text) {
        return true;
    }
    const condition = earlier === undefined ? ({ absent: true } as const) : { etag: earlier.etag };
    return (await lake.writeText(containers.runs, path, text, condition)) !== undefined;
}
