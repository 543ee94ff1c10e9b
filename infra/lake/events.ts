import type * as storage from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import { containers, predictionFileSuffix, type queues, successMarker } from "../../functions/contracts";
import type { PartArgs } from "../part";
import { eventTopic } from "./event-topic";
import type { LakeQueue } from "./lake";

export interface LakeEventsArgs extends Pick<PartArgs, "resourceGroupName" | "tags"> {
    /** ARM id of the lake account. */
    readonly accountId: pulumi.Input<string>;
    readonly containers: Readonly<Record<keyof typeof containers, storage.BlobContainer>>;
    readonly queues: Readonly<Record<keyof typeof queues, LakeQueue>>;
}

/** Word of what was written in the lake, as queue messages. */
export class LakeEvents extends pulumi.ComponentResource {
    constructor(name: string, args: LakeEventsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:lake:LakeEvents", name, {}, opts);
        const { resourceGroupName, tags, accountId: source } = args;

        const subscribe = eventTopic(name, { resourceGroupName, tags, source, topicType: "Microsoft.Storage.StorageAccounts", lake: args }, this);
        subscribe("foldersReady", writtenBlobs({ container: containers.logs, subjectEndsWith: `/${successMarker}` }));
        subscribe("predictionsReady", writtenBlobs({ container: containers.predictions, subjectEndsWith: predictionFileSuffix }));

        this.registerOutputs({});
    }
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
