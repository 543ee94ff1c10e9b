import * as network from "@pulumi/azure-native/network";
import type * as pulumi from "@pulumi/pulumi";

/**
 * What is reached by private endpoints: the group that an endpoint connects to, and the zones of its names.
 * https://learn.microsoft.com/azure/private-link/private-endpoint-dns
 */
export const privateServices = {
    blob: { groupId: "blob", zones: ["privatelink.blob.core.windows.net"] },
    queue: { groupId: "queue", zones: ["privatelink.queue.core.windows.net"] },
    table: { groupId: "table", zones: ["privatelink.table.core.windows.net"] },
    redis: { groupId: "redisEnterprise", zones: ["privatelink.redis.azure.net"] },
    vault: { groupId: "vault", zones: ["privatelink.vaultcore.azure.net"] },
    workspace: { groupId: "amlworkspace", zones: ["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"] },
} as const;

export type PrivateService = keyof typeof privateServices;

/** Where private endpoints go, and how their names are found. */
export interface PrivateLink {
    readonly subnetId: pulumi.Input<string>;
    /** ARM ids of a service's zones; undefined where a policy of the tenant registers the endpoints. */
    readonly zoneIds: (service: PrivateService) => readonly pulumi.Input<string>[] | undefined;
}

export interface PrivateEndpointsArgs {
    readonly resourceGroupName: pulumi.Input<string>;
    readonly tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
    /** None are made where it is undefined. */
    readonly privateLink: PrivateLink | undefined;
    /** ARM id of what the endpoints lead to. */
    readonly resourceId: pulumi.Input<string>;
    readonly services: readonly PrivateService[];
}

/** Gives a resource an address in the network, one for each of its services. @returns what to wait for before it is used from there */
export function connectPrivately(name: string, args: PrivateEndpointsArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource[] {
    const { resourceGroupName, tags, privateLink, resourceId, services } = args;
    if (privateLink === undefined) {
        return [];
    }
    return services.flatMap((service) => {
        const { groupId, zones } = privateServices[service];
        const endpoint = new network.PrivateEndpoint(
            `${name}-${service}`,
            {
                resourceGroupName,
                subnet: { id: privateLink.subnetId },
                privateLinkServiceConnections: [{ name: service, privateLinkServiceId: resourceId, groupIds: [groupId] }],
                tags,
            },
            opts,
        );
        const zoneIds = privateLink.zoneIds(service);
        if (zoneIds === undefined) {
            return [endpoint];
        }
        const group = new network.PrivateDnsZoneGroup(
            `${name}-${service}-names`,
            {
                resourceGroupName,
                privateEndpointName: endpoint.name,
                privateDnsZoneGroupName: "default",
                privateDnsZoneConfigs: zoneIds.map((privateDnsZoneId, index) => ({ name: zones[index]?.replaceAll(".", "-"), privateDnsZoneId })),
            },
            opts,
        );
        return [endpoint, group];
    });
}
