import * as applicationinsights from "@pulumi/azure-native/applicationinsights";
import * as monitor from "@pulumi/azure-native/monitor";
import * as operationalinsights from "@pulumi/azure-native/operationalinsights";
import * as pulumi from "@pulumi/pulumi";
import type { PartArgs } from "../part";
import { driftAlert } from "./drift-alert";
import { failureAlert } from "./failure-alert";
import { LogAlert } from "./log-alert";

export interface MonitoringArgs extends PartArgs {
    /** How long logs are kept, in days. */
    readonly retentionDays: pulumi.Input<number>;
    /** ARM id of a Log Analytics workspace that is there already; undefined makes one. */
    readonly existingWorkspaceId: string | undefined;
    /** Who is told of alerts; undefined tells nobody, and they are listed in Azure Monitor alone. */
    readonly alertEmail: string | undefined;
}

/** Where logs, metrics and traces go, and the alerts over them. Telemetry is taken from identities with a role alone: the connection string is an address, no key. */
export class Monitoring extends pulumi.ComponentResource {
    /** ARM id of Application Insights. */
    readonly insightsId: pulumi.Output<string>;
    readonly connectionString: pulumi.Output<string>;

    constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:monitoring:Monitoring", name, {}, opts);
        const { resourceGroupName, tags, retentionDays, protectData: protect } = args;

        const workspaceResourceId =
            args.existingWorkspaceId ??
            new operationalinsights.Workspace(
                `${name}-logs`,
                { resourceGroupName, sku: { name: "PerGB2018" }, retentionInDays: retentionDays, tags },
                { parent: this, protect },
            ).id;
        const insights = new applicationinsights.Component(
            `${name}-insights`,
            {
                resourceGroupName,
                kind: "web",
                applicationType: "web",
                ingestionMode: "LogAnalytics",
                workspaceResourceId,
                disableLocalAuth: true,
                tags,
            },
            { parent: this },
        );
        const people = args.alertEmail === undefined ? [] : [this.people(name, args, args.alertEmail).id];
        const alerting = { resourceGroupName, tags, insightsId: insights.id, actionGroups: people };
        new LogAlert(`${name}-drift`, { ...alerting, rule: driftAlert }, { parent: this });
        new LogAlert(`${name}-failure`, { ...alerting, rule: failureAlert }, { parent: this });

        this.insightsId = insights.id;
        this.connectionString = insights.connectionString;
        this.registerOutputs({ insightsId: this.insightsId, connectionString: this.connectionString });
    }

    private people(name: string, { resourceGroupName, tags }: MonitoringArgs, emailAddress: string): monitor.ActionGroup {
        return new monitor.ActionGroup(
            `${name}-people`,
            {
                resourceGroupName,
                location: "Global",
                groupShortName: "predictions",
                enabled: true,
                emailReceivers: [{ name: "people", emailAddress, useCommonAlertSchema: true }],
                tags,
            },
            { parent: this },
        );
    }
}
