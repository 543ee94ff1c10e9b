import * as monitor from "@pulumi/azure-native/monitor";
import * as pulumi from "@pulumi/pulumi";
import { driftMetric } from "../../functions/contracts";
import type { PartArgs } from "../part";

export interface DriftAlertArgs extends Pick<PartArgs, "resourceGroupName" | "tags"> {
    /** ARM id of the Application Insights that the metrics go to. */
    readonly insightsId: pulumi.Input<string>;
    /** ARM ids of the action groups that are told. */
    readonly actionGroups: readonly pulumi.Input<string>[];
}

/** Column of the query's result: the names of what has drifted. They are in the alert and in its mail. */
const namesColumn = "driftedColumns";

/**
 * An alert while players differ from those that the model was trained on: one, with the names of all columns that have drifted, and over when
 * the handler finds none of them. The limits are the handler's: it says of each column whether it is above them.
 *
 * A log alert and not a metric alert: Application Insights keeps the attributes of custom metrics in its log, and in the metrics that alerts
 * look at only where that is switched on by hand (https://learn.microsoft.com/azure/azure-monitor/app/pre-aggregated-metrics-log-metrics).
 */
export class DriftAlert extends pulumi.ComponentResource {
    constructor(name: string, args: DriftAlertArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:monitoring:DriftAlert", name, {}, opts);
        const { resourceGroupName, tags, insightsId, actionGroups } = args;

        new monitor.ScheduledQueryRule(
            `${name}-alert`,
            {
                resourceGroupName,
                kind: "LogAlert",
                displayName: "Players drift from the training data",
                description:
                    "Columns of the players that were scored last differ from the training data by more than the limits of the stack (driftPsiLimit, driftUnseenLimit). The report is in the lake, in runs/drift/<day>.json; docs/models.md tells what to do.",
                severity: 2,
                enabled: true,
                scopes: [insightsId],
                criteria: { allOf: [driftCriterion] },
                ...timing,
                autoMitigate: true,
                // A workspace does not know the table before the first metric is there: https://github.com/learntocloud/learn-to-cloud-app/pull/586.
                skipQueryValidation: true,
                actions: { actionGroups: [...actionGroups] },
                tags,
            },
            { parent: this },
        );
        this.registerOutputs();
    }
}

/**
 * Two days are the most that a rule looks at, so a daily run may be late or fail once. An alert that ends by itself needs a frequency of 12
 * hours or less: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule.
 */
const timing = { evaluationFrequency: "PT1H", windowSize: "P2D" };

/** What the newest run said of each column; a row where something has drifted, else none. */
const query = [
    "customMetrics",
    `| where name == "${driftMetric.name}"`,
    `| extend columnName = tostring(customDimensions["${driftMetric.column}"])`,
    "| summarize arg_max(timestamp, value) by columnName",
    "| where value > 0",
    `| summarize ${namesColumn} = strcat_array(array_sort_asc(make_list(columnName)), ", ")`,
    `| where isnotempty(${namesColumn})`,
].join("\n");

const driftCriterion = {
    query,
    timeAggregation: "Count",
    operator: "GreaterThan",
    threshold: 0,
    dimensions: [{ name: namesColumn, operator: "Include", values: ["*"] }],
    failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
};
