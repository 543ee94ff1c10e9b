import * as eventgrid from "@pulumi/azure-native/eventgrid";
import type * as storage from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import { containers, predictionFileSuffix, queues, successMarker } from "../../functions/contracts";
import type { PartArgs } from "../part";
import { assignRole } from "../roles";
import type { LakeQueue } from "./lake";

export interface LakeEventsArgs extends Pick<PartArgs, "resourceGroupName" | "tags"> {
    /** ARM id of the lake account. */
    readonly accountId: pulumi.Input<string>;
    readonly containers: Readonly<Record<keyof typeof containers, storage.BlobContainer>>;
    readonly queues: Readonly<Record<keyof typeof queues, LakeQueue>>;
}

/**
 * Word of what was written in the lake, as queue messages. They are sent under the topic's own identity: no key, nothing that has to be
 * there before the handlers are, and it is the one kind of delivery that also passes a storage firewall
 * (https://learn.microsoft.com/azure/event-grid/handler-storage-queues).
 */
export class LakeEvents extends pulumi.ComponentResource {
    constructor(name: string, args: LakeEventsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:lake:LakeEvents", name, {}, opts);
        const { resourceGroupName, tags, accountId } = args;

        const topic = new eventgrid.SystemTopic(
            `${name}-topic`,
            { resourceGroupName, source: accountId, topicType: "Microsoft.Storage.StorageAccounts", identity: { type: "SystemAssigned" }, tags },
            { parent: this },
        );
        const principalId = topic.identity.apply((identity) => identity?.principalId ?? "");
        const mayDeadLetter = assignRole(
            `${name}-dead-letters-role`,
            { role: "storageBlobDataContributor", principalId, scope: args.containers.deadLetters.id },
            { parent: this },
        );
        const subscribe = (queue: "foldersReady" | "predictionsReady", filter: SubjectFilter) => {
            const maySend = assignRole(
                `${name}-${queues[queue]}-role`,
                { role: "storageQueueDataMessageSender", principalId, scope: args.queues[queue].main.id },
                { parent: this },
            );
            new eventgrid.SystemTopicEventSubscription(
                `${name}-${queues[queue]}`,
                {
                    resourceGroupName,
                    systemTopicName: topic.name,
                    eventSubscriptionName: queues[queue],
                    ...deliveryTo(accountId, args.queues[queue].main.name, args.containers.deadLetters.name),
                    filter: writtenBlobs(filter),
                },
                // Event Grid tries the delivery identity when a subscription is made.
                { parent: this, dependsOn: [maySend, mayDeadLetter] },
            );
        };
        subscribe("foldersReady", { container: containers.logs, subjectEndsWith: `/${successMarker}` });
        subscribe("predictionsReady", { container: containers.predictions, subjectEndsWith: predictionFileSuffix });

        this.registerOutputs({});
    }
}

/** Delivery to a queue of the lake account under the topic's identity for a day, then to the dead letters. */
export function deliveryTo(accountId: pulumi.Input<string>, queueName: pulumi.Input<string>, blobContainerName: pulumi.Input<string>) {
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

interface SubjectFilter {
    readonly container: string;
    readonly subjectEndsWith: string;
}

/**
 * Blobs of one container that are complete: other calls raise the same event for blobs that are still being written
 * (https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage).
 */
function writtenBlobs({ container, subjectEndsWith }: SubjectFilter) {
    return {
        includedEventTypes: ["Microsoft.Storage.BlobCreated"],
        subjectBeginsWith: `/blobServices/default/containers/${container}/`,
        subjectEndsWith,
        isSubjectCaseSensitive: true,
        advancedFilters: [
            { operatorType: "StringIn" as const, key: "data.api", values: ["PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose"] },
        ],
    };
}
