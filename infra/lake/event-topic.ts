import * as eventgrid from "@pulumi/azure-native/eventgrid";
import type * as storage from "@pulumi/azure-native/storage";
import type * as pulumi from "@pulumi/pulumi";
import { queues } from "../../functions/contracts";
import type { PartArgs } from "../part";
import { assignRole } from "../roles";
import type { LakeQueue } from "./lake";

export interface EventTopicArgs extends Pick<PartArgs, "resourceGroupName" | "tags"> {
    /** ARM id of what raises the events. */
    readonly source: pulumi.Input<string>;
    /** Event Grid's word for what that is. */
    readonly topicType: string;
    /** The lake account, whose queues take the events. */
    readonly lake: {
        readonly accountId: pulumi.Input<string>;
        readonly queues: Readonly<Record<keyof typeof queues, LakeQueue>>;
        readonly containers: { readonly deadLetters: storage.BlobContainer };
    };
}

type Filter = eventgrid.SystemTopicEventSubscriptionArgs["filter"];

/**
 * A system topic whose events are delivered to queues of the lake account under the topic's own identity: no key, nothing that has to be there
 * before the handlers are, and it is the one kind of delivery that also passes a storage firewall
 * (https://learn.microsoft.com/azure/event-grid/handler-storage-queues).
 *
 * @returns subscribes a queue to the events that a filter lets through
 */
export function eventTopic(name: string, args: EventTopicArgs, parent: pulumi.Resource): (queue: keyof typeof queues, filter: Filter) => void {
    const { resourceGroupName, tags, source, topicType, lake } = args;
    const topic = new eventgrid.SystemTopic(
        `${name}-topic`,
        { resourceGroupName, source, topicType, identity: { type: "SystemAssigned" }, tags },
        { parent },
    );
    const principalId = topic.identity.apply((identity) => identity?.principalId ?? "");
    const mayDeadLetter = assignRole(
        `${name}-dead-letters-role`,
        { role: "storageBlobDataContributor", principalId, scope: lake.containers.deadLetters.id },
        { parent },
    );
    return (key, filter) => {
        const queue = lake.queues[key].main;
        const maySend = assignRole(`${name}-${queues[key]}-role`, { role: "storageQueueDataMessageSender", principalId, scope: queue.id }, { parent });
        new eventgrid.SystemTopicEventSubscription(
            `${name}-${queues[key]}`,
            {
                resourceGroupName,
                systemTopicName: topic.name,
                eventSubscriptionName: queues[key],
                ...deliveryTo(lake.accountId, queue.name, lake.containers.deadLetters.name),
                filter,
            },
            // Event Grid tries the delivery identity when a subscription is made.
            { parent, dependsOn: [maySend, mayDeadLetter] },
        );
    };
}

/** Delivery to a queue of the lake account under the topic's identity for a day, then to the dead letters. */
function deliveryTo(accountId: pulumi.Input<string>, queueName: pulumi.Input<string>, blobContainerName: pulumi.Input<string>) {
    const identity = { type: "SystemAssigned" };
    return {
        deliveryWithResourceIdentity: {
            identity,
            destination: { endpointType: "StorageQueue", resourceId: accountId, queueName, queueMessageTimeToLiveInSeconds: 7 * 24 * 3600 },
        },
        deadLetterWithResourceIdentity: {
            identity,
            deadLetterDestination: { endpointType: "StorageBlob", resourceId: accountId, blobContainerName },
        },
        retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
        eventDeliverySchema: "EventGridSchema",
    } as const;
}
