import { driftMetric } from "../../functions/contracts";
import type { LogAlertRule } from "./log-alert";

/** The names of what has drifted. */
const namesColumn = "driftedColumns";

/**
 * While players differ from those that the model was trained on: one alert, with the names of all columns that have drifted, and over when
 * the handler finds none of them. The limits are the handler's: it says of each column whether it is above them.
 *
 * Over the log and not over metrics: Application Insights keeps the attributes of custom metrics in its log, and in the metrics that alerts
 * look at only where that is switched on by hand (https://learn.microsoft.com/azure/azure-monitor/app/pre-aggregated-metrics-log-metrics).
 */
export const driftAlert: LogAlertRule = {
    displayName: "Players drift from the training data",
    description:
        "Columns of the players that were scored last differ from the training data by more than the limits of the stack (driftPsiLimit, driftUnseenLimit). The report is in the lake, in runs/drift/<day>.json; docs/models.md tells what to do.",
    // What the newest run said of each column; a row where something has drifted, else none.
    query: [
        "customMetrics",
        `| where name == "${driftMetric.name}"`,
        `| extend columnName = tostring(customDimensions["${driftMetric.column}"])`,
        "| summarize arg_max(timestamp, value) by columnName",
        "| where value > 0",
        `| summarize ${namesColumn} = strcat_array(array_sort_asc(make_list(columnName)), ", ")`,
        `| where isnotempty(${namesColumn})`,
    ].join("\n"),
    namesColumn,
    evaluationFrequency: "PT1H",
    // The most that a rule looks at, so a daily run may be late or fail once.
    windowSize: "P2D",
};
