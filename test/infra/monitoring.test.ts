import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { driftMetric, timers } from "../../functions/contracts";
import { group, idOf } from "./expected";
import { record } from "./recording";

const people = "players-monitoring-people";
const alert = ["azure-native:monitor:ScheduledQueryRule", "players-monitoring-drift-alert"] as const;

describe("the alert of the drift", () => {
    it("looks at what the handler says of each column, for longer than a day and often enough to end by itself", async () => {
        const { inputs } = (await record()).get(...alert);
        expect(inputs).toMatchObject({
            ...group,
            kind: "LogAlert",
            enabled: true,
            scopes: [idOf("applicationinsights/Component", "players-monitoring-insights")],
            evaluationFrequency: "PT1H",
            windowSize: "P2D",
            autoMitigate: true,
            skipQueryValidation: true,
        });
        const { criteria } = inputs as { criteria: { allOf: { query: string; dimensions: { name: string }[] }[] } };
        const [criterion, ...others] = criteria.allOf;
        expect(others).toEqual([]);
        expect(criterion).toMatchObject({
            timeAggregation: "Count",
            operator: "GreaterThan",
            threshold: 0,
            dimensions: [{ operator: "Include", values: ["*"] }],
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
        });
        expect(criterion?.query).toContain(`| where name == "${driftMetric.name}"`);
        expect(criterion?.query).toContain(`customDimensions["${driftMetric.column}"]`);
        // The names of the columns are what the alert is split by, and so are part of it.
        expect(criterion?.query).toContain(`| summarize ${criterion?.dimensions[0]?.name} = `);
    });

    it("is listed and tells nobody where no address is given", async () => {
        const { get, all } = await record();
        expect(all("azure-native:monitor:ActionGroup")).toEqual([]);
        expect(get(...alert).inputs.actions).toEqual({ actionGroups: [] });
    });

    it("is mailed to the address that is given", async () => {
        const { get } = await record({ config: { alertEmail: "on-call@studio.example" } });
        expect(get("azure-native:monitor:ActionGroup", people).inputs).toMatchObject({
            ...group,
            location: "Global",
            enabled: true,
            emailReceivers: [{ emailAddress: "on-call@studio.example", useCommonAlertSchema: true }],
        });
        expect(get(...alert).inputs.actions).toEqual({ actionGroups: [idOf("monitor/ActionGroup", people)] });
    });
});

describe("the alert of what is left undone", () => {
    const failure = ["azure-native:monitor:ScheduledQueryRule", "players-monitoring-failure-alert"] as const;

    it("looks at every timer, at the poison queues and at batches that were given up, each seen more than once", async () => {
        const { inputs } = (await record({ config: { alertEmail: "on-call@studio.example" } })).get(...failure);
        expect(inputs).toMatchObject({
            ...group,
            scopes: [idOf("applicationinsights/Component", "players-monitoring-insights")],
            evaluationFrequency: "PT15M",
            windowSize: "PT30M",
            autoMitigate: true,
            actions: { actionGroups: [idOf("monitor/ActionGroup", people)] },
        });
        const { criteria } = inputs as { criteria: { allOf: { query: string; dimensions: { name: string }[] }[] } };
        const [{ query, dimensions } = { query: "", dimensions: [] }] = criteria.allOf;
        expect(query).toContain('name in ("ingest", "reconcile", "drift", "retrain")');
        expect(query).toContain('message startswith "Message has reached MaxDequeueCount"');
        expect(query).toContain('told.outcome == "poisoned" or told.status == "poisoned"');
        expect(query).toContain(`by ${dimensions[0]?.name}`);
    });

    it("knows the timers that the handlers register", () => {
        const registered = readFileSync(path.resolve(__dirname, "..", "..", "functions", "index.ts"), "utf8").matchAll(/app\.timer\("(\w+)"/gu);
        expect([...registered].map(([, name]) => name)).toEqual(timers);
    });
});
