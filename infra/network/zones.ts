import * as privatedns from "@pulumi/azure-native/privatedns";
import type * as pulumi from "@pulumi/pulumi";
import { privateServices, type PrivateLink, type PrivateService } from "./private-link";

export interface ZonesArgs {
    readonly resourceGroupName: pulumi.Input<string>;
    readonly tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
    readonly virtualNetworkId: pulumi.Input<string>;
    /** What there are private endpoints for. */
    readonly services: readonly PrivateService[];
    /** `skip`, or the ARM id of the resource group that has the zones; undefined makes them. */
    readonly existing: string | undefined;
}

/** The private DNS zones of the services, made and linked to the network, found elsewhere, or left to a policy of the tenant. */
export function privateZones(name: string, args: ZonesArgs, opts: pulumi.CustomResourceOptions): PrivateLink["zoneIds"] {
    const { existing, services } = args;
    if (existing?.toLowerCase() === "skip") {
        return () => undefined;
    }
    if (existing !== undefined) {
        return (service) => privateServices[service].zones.map((zone) => `${existing}/providers/Microsoft.Network/privateDnsZones/${zone}`);
    }
    const made = new Map(services.flatMap((service) => privateServices[service].zones).map((zone) => [zone, linkedZone(name, zone, args, opts)]));
    return (service) => privateServices[service].zones.flatMap((zone) => made.get(zone) ?? []);
}

function linkedZone(name: string, privateZoneName: string, args: ZonesArgs, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
    const { resourceGroupName, tags, virtualNetworkId } = args;
    const logicalName = `${name}-${privateZoneName.replace("privatelink.", "").replaceAll(".", "-")}`;
    // Zones are of no region.
    const zone = new privatedns.PrivateZone(logicalName, { resourceGroupName, privateZoneName, location: "global", tags }, opts);
    const link = new privatedns.VirtualNetworkLink(
        `${logicalName}-link`,
        {
            resourceGroupName,
            privateZoneName: zone.name,
            virtualNetworkLinkName: "network",
            location: "global",
            virtualNetwork: { id: virtualNetworkId },
            registrationEnabled: false,
            tags,
        },
        opts,
    );
    // Whoever uses the zone waits for the network to see it.
    return link.id.apply(() => zone.id);
}
