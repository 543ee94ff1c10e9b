import * as pulumi from "@pulumi/pulumi";
import { eventTopic } from "../lake/event-topic";
import type { Lake } from "../lake/lake";
import type { PartArgs } from "../part";

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
    constructor(name: string, { resourceGroupName, tags, workspaceId: source, lake }: ModelEventsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:models:ModelEvents", name, {}, opts);

        const subscribe = eventTopic(name, { resourceGroupName, tags, source, topicType: "Microsoft.MachineLearningServices.Workspaces", lake }, this);
        subscribe("jobsChanged", {
            includedEventTypes: ["Microsoft.MachineLearningServices.RunCompleted", "Microsoft.MachineLearningServices.RunStatusChanged"],
        });

        this.registerOutputs({});
    }
}
