import type * as pulumi from "@pulumi/pulumi";
import type { PrivateLink } from "./network/private-link";

/** What every part on Azure is given. */
export interface PartArgs {
    /** Resource group of the part's resources. */
    readonly resourceGroupName: pulumi.Input<string>;
    /** Tags of every resource that takes some. */
    readonly tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /** Whether what holds data refuses to be deleted. */
    readonly protectData: boolean;
    /** Where the part's services are reached by private endpoints; undefined leaves them open to whoever has a role. */
    readonly privateLink: PrivateLink | undefined;
}
