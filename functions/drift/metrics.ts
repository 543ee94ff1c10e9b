import type { Attributes, Meter } from "@opentelemetry/api";
import { driftMetric } from "../contracts";
import type { DayReport } from "./report";

/**
 * Shows a day's report as gauges, each value once: a run that is repeated says the same again. Of too few players only their number is shown,
 * for their indices are chance.
 */
export function recordDrift(meter: Meter, { modelVersion: version, players, columns, drifted, tooFew }: DayReport): void {
    const gauge = (name: string, unit: string, description: string) => {
        const made = meter.createGauge(name, { unit, description });
        return (value: number, attributes: Attributes = {}) => made.record(value, { ...attributes, version });
    };
    const ofColumn = (name: string) => ({ [driftMetric.column]: name });
    gauge("drift.players", "{player}", "Players of the day that is compared with the training data")(players.now);
    if (tooFew) {
        return;
    }
    const index = gauge("drift.psi", "1", "Population stability index of a column, against the training data");
    const unseen = gauge("drift.unseen", "1", "Share of the day's players with a category of the column that training has not seen");
    const shift = gauge("drift.score.shift", "1", "Mean of a score on the day, less its mean in the training data");
    const verdict = gauge(driftMetric.name, "1", "Whether a column is above a limit: 1 or 0");
    for (const column of columns) {
        index(column.psi, { ...ofColumn(column.name), kind: column.kind });
        verdict(drifted.includes(column.name) ? 1 : 0, ofColumn(column.name));
        if (column.unseen) {
            unseen(column.unseen.share, ofColumn(column.name));
        }
        if (column.kind === "score" && column.mean) {
            shift(column.mean.now - column.mean.before, ofColumn(column.name));
        }
    }
    gauge("drift.columns", "{column}", "Columns that have drifted: 0, and the day is like the training data")(drifted.length);
}
