import type * as authorization from "@pulumi/azure-native/authorization";
import type * as pulumi from "@pulumi/pulumi";
import { queues } from "../../functions/contracts";
import type { Lake } from "../lake/lake";
import { assignRole, type RoleArgs } from "../roles";
import type { Runtime } from "../runtime/runtime";

export interface HandlerRolesArgs {
    readonly principalId: pulumi.Input<string>;
    readonly lake: Lake;
    readonly runtime: Runtime;
    /** ARM id of Application Insights. */
    readonly insightsId: pulumi.Input<string>;
}

/** What the handlers and their host may do with storage and telemetry. */
export function grantHandlers(name: string, args: HandlerRolesArgs, opts: pulumi.CustomResourceOptions): authorization.RoleAssignment[] {
    const { principalId, lake, runtime, insightsId } = args;
    const grant = (suffix: string, role: RoleArgs["role"], scope: pulumi.Input<string>) =>
        assignRole(`${name}-${suffix}-role`, { role, principalId, scope }, opts);
    return [
        // The host makes containers and a table of its own in the account.
        // https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
        grant("host-blobs", "storageBlobDataOwner", runtime.accountId),
        grant("host-tables", "storageTableDataContributor", runtime.accountId),
        grant("telemetry", "monitoringMetricsPublisher", insightsId),
        grant("logs", "storageBlobDataContributor", lake.containers.logs.id),
        grant("predictions", "storageBlobDataContributor", lake.containers.predictions.id),
        grant("batches", "storageBlobDataContributor", lake.containers.batches.id),
        grant("runs", "storageBlobDataContributor", lake.containers.runs.id),
        // `score` and `reconcile` queue again what is to be done again.
        grant("folders-ready-send", "storageQueueDataMessageSender", lake.queues.foldersReady.main.id),
        grant("predictions-ready-send", "storageQueueDataMessageSender", lake.queues.predictionsReady.main.id),
        grant("comparisons", "storageBlobDataContributor", lake.containers.comparisons.id),
        grant("requests", "storageBlobDataContributor", lake.containers.requests.id),
        ...(Object.keys(queues) as (keyof typeof queues)[]).flatMap((key) => [
            grant(`${queues[key]}-read`, "storageQueueDataReader", lake.queues[key].main.id),
            grant(`${queues[key]}-process`, "storageQueueDataMessageProcessor", lake.queues[key].main.id),
            // The host sends what failed too often, and makes the queue if it is not there.
            grant(`${queues[key]}-poison`, "storageQueueDataContributor", lake.queues[key].poison.id),
        ]),
    ];
}
