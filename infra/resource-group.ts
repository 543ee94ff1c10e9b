import * as resources from "@pulumi/azure-native/resources";
import * as pulumi from "@pulumi/pulumi";

export interface ResourceGroupArgs {
    /** Name of one that is there already; undefined makes one. */
    readonly existing: string | undefined;
    readonly location: string;
    readonly tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
    readonly protect: boolean;
}

/** Name of the resource group of the stack: of one made for it, or of one that is looked up, so that a wrong name fails the preview. */
export function resourceGroup(prefix: string, { existing, location, tags, protect }: ResourceGroupArgs): pulumi.Output<string> {
    return existing === undefined
        ? new resources.ResourceGroup(`${prefix}-group`, { resourceGroupName: `${prefix}-${pulumi.getStack()}`, location, tags }, { protect }).name
        : resources.getResourceGroupOutput({ resourceGroupName: existing }).name;
}
