import { pathSteps, valueAt } from "../differences";
import { isRecord, isSecret, isUnknown } from "../special";
import { parseUrn } from "../urn";
import { subjectOf } from "../words";
import { openings } from "./openings";
import { opens, type Described, type Statement } from "./statement";

/** From where resources are reached, and what lets a call through. */
export function networkOf(resource: Described): Statement[] {
    return [...settingsOf(resource), ...firewallRules(resource), ...securityRules(resource), ...awsRules(resource)];
}

function settingsOf(resource: Described): Statement[] {
    const about = subjectOf(resource, resource.show);
    return openings
        .filter(({ type }) => type.test(resource.type))
        .flatMap(({ paths, called, topic, otherwise, safe }) => {
            const set = paths.map((path) => valueAt(resource.state.inputs, pathSteps(path))).find((value) => value !== undefined);
            const value = set ?? otherwise;
            const says = `${resource.show.value(value, [])}${set === undefined && value !== undefined ? " (the default)" : ""}`;
            return value === undefined ? [] : [{ topic, about: `${about}: ${called}`, says, kind: "is" as const, safe: value === safe || safe === undefined }];
        });
}

/** Addresses and subnets that a firewall of Azure lets through. */
function firewallRules(resource: Described): Statement[] {
    const { inputs } = resource.state;
    const rules = [inputs.networkRuleSet, isRecord(inputs.properties) ? inputs.properties.networkAcls : undefined].filter(isRecord);
    const restrictions = isRecord(inputs.siteConfig) ? list(inputs.siteConfig.ipSecurityRestrictions) : [];
    return [
        ...rules.flatMap((rule) => [...list(rule.ipRules), ...list(rule.virtualNetworkRules)]).map((rule) =>
            opening(resource, `to ${resource.show.value(rule.iPAddressOrRange ?? rule.value ?? rule.virtualNetworkResourceId ?? rule.id, [])}`),
        ),
        ...restrictions.map((rule) =>
            opening(resource, `(${resource.show.value(rule.action ?? "Allow", [])}) to ${resource.show.value(rule.ipAddress ?? rule.vnetSubnetResourceId ?? rule.name, [])}`),
        ),
    ];
}

/** Rules of network security groups, one by one or in the group. */
function securityRules(resource: Described): Statement[] {
    const { inputs } = resource.state;
    const rules =
        resource.type === "azure-native:network:NetworkSecurityGroup"
            ? list(inputs.securityRules)
            : resource.type === "azure-native:network:SecurityRule"
              ? [inputs]
              : [];
    const { value } = resource.show;
    return rules.map((rule) =>
        opening(
            resource,
            `${value(rule.access, [])} ${value(rule.direction, [])} ${value(rule.protocol, [])} from ${value(rule.sourceAddressPrefix ?? rule.sourceAddressPrefixes, [])} ` +
                `to ${value(rule.destinationAddressPrefix ?? rule.destinationAddressPrefixes, [])} port ${value(rule.destinationPortRange ?? rule.destinationPortRanges, [])}`,
        ),
    );
}

/** Rules of AWS security groups in their three forms. */
function awsRules(resource: Described): Statement[] {
    const { inputs } = resource.state;
    const rules: [string, Record<string, unknown>][] =
        resource.type === "aws:ec2/securityGroup:SecurityGroup"
            ? [...list(inputs.ingress).map((rule) => ["in", rule] as [string, Record<string, unknown>]), ...list(inputs.egress).map((rule) => ["out", rule] as [string, Record<string, unknown>])]
            : resource.type === "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
              ? [["in", inputs]]
              : resource.type === "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
                ? [["out", inputs]]
                : resource.type === "aws:ec2/securityGroupRule:SecurityGroupRule"
                  ? [[inputs.type === "egress" ? "out" : "in", inputs]]
                  : [];
    const { value } = resource.show;
    return rules.map(([direction, rule]) => {
        const peers = [rule.cidrIpv4, rule.cidrIpv6, rule.cidrBlocks, rule.ipv6CidrBlocks, rule.referencedSecurityGroupId, rule.securityGroups, rule.sourceSecurityGroupId, rule.prefixListId];
        const known = peers.filter((peer) => peer !== undefined && peer !== null).map((peer) => value(peer, []));
        const group = rule.securityGroupId === undefined ? "" : ` of security group ${groupOf(resource, rule.securityGroupId)}`;
        return opening(
            resource,
            `${value(rule.ipProtocol ?? rule.protocol, [])} port ${value(rule.fromPort, [])} to ${value(rule.toPort, [])}${group}, ` +
                `${direction === "in" ? "from" : "to"} ${known.length === 0 ? "*nothing*" : known.join(", ")}`,
        );
    });
}

function groupOf(resource: Described, id: unknown): string {
    const urn = isUnknown(id) || isSecret(id) ? parseUrn(resource.state.dependencies.securityGroupId?.[0] ?? "") : undefined;
    return urn === undefined ? resource.show.value(id, []) : resource.show.text(urn.name);
}

function opening(resource: Described, says: string): Statement {
    return { topic: "network", about: subjectOf(resource, resource.show), says, kind: opens };
}

function list(value: unknown): Record<string, unknown>[] {
    return Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
}
