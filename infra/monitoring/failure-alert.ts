import { timers } from "../../functions/contracts";
import type { LogAlertRule } from "./log-alert";

const namesColumn = "what";

/**
 * For what stays undone until somebody sees to it: a timer that failed (`ingest` comes again after a day only), a message that failed so often
 * that the host put it aside (in the words of
 * https://github.com/Azure/azure-sdk-for-net/blob/main/sdk/storage/Microsoft.Azure.WebJobs.Extensions.Storage.Queues/src/QueueProcessor.cs),
 * and a batch that was given up. Other failures are tried again by themselves.
 */
export const failureAlert: LogAlertRule = {
    displayName: "Predictions: work is left undone",
    description:
        "A timer of the function app failed, a message went to a poison queue, or a batch was given up. docs/cold-path.md, When you are woken, tells where the reason is and what to do.",
    query: [
        "union",
        `(requests | where success == false and name in (${timers.map((name) => `"${name}"`).join(", ")}) | project ${namesColumn} = strcat("timer ", name)),`,
        `(traces | where message startswith "Message has reached MaxDequeueCount" | project ${namesColumn} = extract("queue '([^']+)'", 1, message)),`,
        `(traces | where message startswith "{" and message contains '"poisoned"' | extend told = parse_json(message)`,
        `| where told.outcome == "poisoned" or told.status == "poisoned" | project ${namesColumn} = strcat("batch of folder ", tostring(told.folder)))`,
        `| summarize times = count() by ${namesColumn}`,
    ].join("\n"),
    namesColumn,
    evaluationFrequency: "PT15M",
    // Telemetry may be some minutes late: each row is seen twice, and one alert.
    windowSize: "PT30M",
};
