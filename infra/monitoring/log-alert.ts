import * as monitor from "@pulumi/azure-native/monitor";
import * as pulumi from "@pulumi/pulumi";
import type { PartArgs } from "../part";

/** What an alert over the log says and looks at. */
export interface LogAlertRule {
    readonly displayName: string;
    /** What has happened, and where to read on: it is in the mail. */
    readonly description: string;
    /** KQL over Application Insights that gives a row for each thing to tell of, and none where there is nothing. */
    readonly query: string;
    /** Column of the query's result that names the thing: each has an alert of its own, with the name in it. */
    readonly namesColumn: string;
    /** How often the query runs, as an ISO 8601 duration: an alert that ends by itself needs 12 hours or less. */
    readonly evaluationFrequency: string;
    /** How far back it looks, as an ISO 8601 duration: two days at most. */
    readonly windowSize: string;
}

export interface LogAlertArgs extends Pick<PartArgs, "resourceGroupName" | "tags"> {
    readonly rule: LogAlertRule;
    /** ARM id of the Application Insights that has the log. */
    readonly insightsId: pulumi.Input<string>;
    /** ARM ids of the action groups that are told. */
    readonly actionGroups: readonly pulumi.Input<string>[];
}

/** An alert while a query over the log gives rows; it ends by itself (https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule). */
export class LogAlert extends pulumi.ComponentResource {
    constructor(name: string, args: LogAlertArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:monitoring:LogAlert", name, {}, opts);
        const { resourceGroupName, tags, insightsId, actionGroups, rule } = args;
        const { displayName, description, query, namesColumn, evaluationFrequency, windowSize } = rule;

        new monitor.ScheduledQueryRule(
            `${name}-alert`,
            {
                resourceGroupName,
                kind: "LogAlert",
                displayName,
                description,
                severity: 2,
                enabled: true,
                scopes: [insightsId],
                criteria: {
                    allOf: [
                        {
                            query,
                            timeAggregation: "Count",
                            operator: "GreaterThan",
                            threshold: 0,
                            dimensions: [{ name: namesColumn, operator: "Include", values: ["*"] }],
                            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
                        },
                    ],
                },
                evaluationFrequency,
                windowSize,
                autoMitigate: true,
                // A workspace does not know a table before the first row is there: https://github.com/learntocloud/learn-to-cloud-app/pull/586.
                skipQueryValidation: true,
                actions: { actionGroups: [...actionGroups] },
                tags,
            },
            { parent: this },
        );
        this.registerOutputs();
    }
}
