import type * as pulumi from "@pulumi/pulumi";

/** What every part on Azure is given. */
export interface PartArgs {
    /** Resource group of the part's resources. */
    readonly resourceGroupName: pulumi.Input<string>;
    /** Tags of every resource that takes some. */
    readonly tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}
