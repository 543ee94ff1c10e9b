import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule";
import * as pulumi from "@pulumi/pulumi";
import type { Studio } from "../aws/studio";
import { fault } from "../setting-faults";
import { StackSettingsError, type StackSettings } from "../settings";

export interface DatabaseAccessArgs {
    readonly studio: Pick<Studio, "databasePort" | "databaseSecurityGroups">;
    /** Address that the handlers go out with; undefined where nobody said which it is. */
    readonly egressAddress: pulumi.Output<string> | undefined;
    readonly settings: Pick<StackSettings, "databaseSecurityGroup">;
    readonly tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Lets the handlers' one address into the database's security group, at the database's port and nowhere else. */
export function letIntoDatabase(name: string, args: DatabaseAccessArgs): SecurityGroupIngressRule | undefined {
    const { studio, egressAddress, settings, tags } = args;
    if (egressAddress === undefined || settings.databaseSecurityGroup === "skip") {
        return undefined;
    }
    return new SecurityGroupIngressRule(name, {
        securityGroupId: settings.databaseSecurityGroup ?? studio.databaseSecurityGroups.apply(onlyGroup),
        description: "Handlers of player-predictions on Azure",
        ipProtocol: "tcp",
        fromPort: studio.databasePort,
        toPort: studio.databasePort,
        cidrIpv4: pulumi.interpolate`${egressAddress}/32`,
        tags,
    });
}

/** @throws StackSettingsError where the instance has none or several: which one is open to whom is the studio's to say */
export function onlyGroup(groups: readonly string[]): string {
    const [group, ...more] = groups;
    if (group === undefined || more.length > 0) {
        const choice = group === undefined ? "the id of a security group: the instance has none" : `one of ${groups.join(", ")}, which the instance has`;
        throw new StackSettingsError(fault("databaseSecurityGroup", "", `${choice}, or skip`));
    }
    return group;
}
