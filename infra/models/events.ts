import * as eventgrid from "@pulumi/azure-native/eventgrid";
import * as pulumi from "@pulumi/pulumi";
import { queues } from "../../functions/contracts";
import { deliveryTo } from "../lake/events";
import type { Lake } from "../lake/lake";
import type { PartArgs } from "../part";
import { assignRole } from "../roles";

export interface ModelEventsArgs extends Pick<PartArgs, "resourceGroupName" | "tags"> {
    /** ARM id of the Azure ML workspace. */
    readonly workspaceId: pulumi.Input<string>;
    readonly lake: Lake;
}

/**
 * Word of the workspace's jobs, as queue messages. Whether jobs of batch endpoints raise these events is not promised: the handlers take them
 * as hints (https://learn.microsoft.com/azure/machine-learning/how-to-use-event-grid).
 */
export class ModelEvents extends pulumi.ComponentResource {
    constructor(name: string, { resourceGroupName, tags, workspaceId, lake }: ModelEventsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:models:ModelEvents", name, {}, opts);

        const topic = new eventgrid.SystemTopic(
            `${name}-topic`,
            {
                resourceGroupName,
                source: workspaceId,
                topicType: "Microsoft.MachineLearningServices.Workspaces",
                identity: { type: "SystemAssigned" },
                tags,
            },
            { parent: this },
        );
        const principalId = topic.identity.apply((identity) => identity?.principalId ?? "");
        const queue = lake.queues.jobsChanged.main;
        const rights = [
            assignRole(
                `${name}-dead-letters-role`,
                { role: "storageBlobDataContributor", principalId, scope: lake.containers.deadLetters.id },
                { parent: this },
            ),
            assignRole(`${name}-${queues.jobsChanged}-role`, { role: "storageQueueDataMessageSender", principalId, scope: queue.id }, { parent: this }),
        ];
        new eventgrid.SystemTopicEventSubscription(
            `${name}-${queues.jobsChanged}`,
            {
                resourceGroupName,
                systemTopicName: topic.name,
                eventSubscriptionName: queues.jobsChanged,
                ...deliveryTo(lake.accountId, queue.name, lake.containers.deadLetters.name),
                filter: {
                    includedEventTypes: ["Microsoft.MachineLearningServices.RunCompleted", "Microsoft.MachineLearningServices.RunStatusChanged"],
                },
            },
            // Event Grid tries the delivery identity when a subscription is made.
            { parent: this, dependsOn: rights },
        );

        this.registerOutputs({});
    }
}
