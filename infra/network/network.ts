import * as network from "@pulumi/azure-native/network";
import * as pulumi from "@pulumi/pulumi";
import type { NetworkSettings, StackSettings } from "../settings";
import { quarters } from "./addresses";
import type { PrivateLink, PrivateService } from "./private-link";
import { privateZones } from "./zones";

export interface NetworkArgs {
    readonly resourceGroupName: pulumi.Input<string>;
    readonly tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
    readonly settings: NetworkSettings;
    /** Whether the fixed address survives the failure of a zone. */
    readonly zoneRedundant: boolean;
    /** Whether the fixed address refuses to be deleted: the studio lets in no other. */
    readonly protect: boolean;
    /** What private endpoints are made for, if any are. */
    readonly services: readonly PrivateService[];
}

interface Subnets {
    readonly virtualNetworkId: pulumi.Input<string>;
    readonly functions: pulumi.Output<string>;
    readonly endpoints: pulumi.Output<string> | undefined;
    readonly compute: pulumi.Output<string> | undefined;
    readonly egressAddress: pulumi.Output<string> | undefined;
}

/** The stack's network, if its settings have one. */
export function makeNetwork(
    name: string,
    { settings, ...inGroup }: Pick<NetworkArgs, "resourceGroupName" | "tags"> & { readonly settings: StackSettings },
): Network | undefined {
    const { network: own, zoneRedundant, protectData, databaseSignIn, existingKeyVaultId, existingEndpoints, existingModelVaultId } = settings;
    if (own === undefined) {
        return undefined;
    }
    const makesModels = existingEndpoints === undefined;
    const makesVault = (makesModels && existingModelVaultId === undefined) || (databaseSignIn.auth === "password" && existingKeyVaultId === undefined);
    const services: PrivateService[] = ["blob", "queue", "table", "redis", ...(makesVault ? (["vault"] as const) : []), ...(makesModels ? (["workspace"] as const) : [])];
    return new Network(name, { ...inGroup, settings: own, zoneRedundant, protect: protectData, services });
}

/** The network of the handlers: a way out with one fixed address and, where it is private, one in to each service of the stack. */
export class Network extends pulumi.ComponentResource {
    /** ARM id of the subnet of the function app. */
    readonly functionSubnetId: pulumi.Output<string>;
    /** ARM id of the subnet of the batch nodes; undefined where the services are open. */
    readonly computeSubnetId: pulumi.Output<string> | undefined;
    /** Address that the handlers go out with; undefined where nobody said which it is. */
    readonly egressAddress: pulumi.Output<string> | undefined;
    /** Undefined where the services are open. */
    readonly privateLink: PrivateLink | undefined;

    constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:network:Network", name, {}, opts);
        const { resourceGroupName, tags, settings, services } = args;
        const subnets = existingSubnets(settings) ?? this.makeSubnets(name, args);

        this.functionSubnetId = subnets.functions;
        this.computeSubnetId = subnets.compute;
        this.egressAddress = subnets.egressAddress;
        this.privateLink = subnets.endpoints && {
            subnetId: subnets.endpoints,
            zoneIds: privateZones(
                name,
                { resourceGroupName, tags, virtualNetworkId: subnets.virtualNetworkId, services, existing: settings.privateDnsZones },
                { parent: this },
            ),
        };
        this.registerOutputs({ functionSubnetId: this.functionSubnetId, egressAddress: this.egressAddress });
    }

    private makeSubnets(name: string, args: NetworkArgs): Subnets {
        const { resourceGroupName, tags, settings, services } = args;
        const { cidr, existingVirtualNetworkId, isPrivate } = settings;
        const made =
            existingVirtualNetworkId === undefined
                ? new network.VirtualNetwork(`${name}-vnet`, { resourceGroupName, addressSpace: { addressPrefixes: [cidr] }, tags }, { parent: this })
                : undefined;
        const inNetwork = made
            ? { resourceGroupName, virtualNetworkName: made.name }
            : { resourceGroupName: segment(existingVirtualNetworkId, 4), virtualNetworkName: segment(existingVirtualNetworkId, 8) };
        const { address, gateway } = this.makeEgress(name, args);
        const [functionRange, endpointRange, computeRange] = quarters(cidr);

        const functions = new network.Subnet(
            `${name}-functions`,
            {
                ...inNetwork,
                subnetName: "functions",
                addressPrefix: functionRange,
                // Flex Consumption: https://learn.microsoft.com/azure/azure-functions/functions-networking-options#subnets
                delegations: [{ name: "functions", serviceName: "Microsoft.App/environments" }],
                natGateway: { id: gateway.id },
                defaultOutboundAccess: false,
            },
            { parent: this },
        );
        // A network takes one change at a time.
        const endpoints = isPrivate
            ? new network.Subnet(
                  `${name}-endpoints`,
                  { ...inNetwork, subnetName: "endpoints", addressPrefix: endpointRange, privateEndpointNetworkPolicies: "Disabled", defaultOutboundAccess: false },
                  { parent: this, dependsOn: functions },
              )
            : undefined;
        const compute =
            endpoints && services.includes("workspace")
                ? new network.Subnet(
                      `${name}-compute`,
                      { ...inNetwork, subnetName: "compute", addressPrefix: computeRange, natGateway: { id: gateway.id }, defaultOutboundAccess: false },
                      { parent: this, dependsOn: endpoints },
                  )
                : undefined;
        return {
            virtualNetworkId: made?.id ?? existingVirtualNetworkId ?? "",
            functions: functions.id,
            endpoints: endpoints?.id,
            compute: compute?.id,
            egressAddress: address.ipAddress.apply((ip) => ip ?? ""),
        };
    }

    /**
     * A NAT gateway with one address. Of the kind Standard: the zone-redundant StandardV2 does not take subnets that are delegated to
     * Container Apps, which Flex Consumption's are (https://learn.microsoft.com/azure/nat-gateway/nat-overview#known-limitations).
     */
    private makeEgress(name: string, { resourceGroupName, tags, zoneRedundant, protect }: NetworkArgs) {
        const address = new network.PublicIPAddress(
            `${name}-egress`,
            {
                resourceGroupName,
                sku: { name: "Standard" },
                publicIPAddressVersion: "IPv4",
                publicIPAllocationMethod: "Static",
                ...(zoneRedundant ? { zones: ["1", "2", "3"] } : {}),
                tags,
            },
            { parent: this, protect },
        );
        const gateway = new network.NatGateway(
            `${name}-nat`,
            { resourceGroupName, sku: { name: "Standard" }, publicIpAddresses: [{ id: address.id }], tags },
            { parent: this },
        );
        return { address, gateway };
    }
}

function existingSubnets({ existingSubnets: existing }: NetworkSettings): Subnets | undefined {
    return (
        existing && {
            virtualNetworkId: existing.functions.replace(/\/subnets\/[^/]+$/i, ""),
            functions: pulumi.output(existing.functions),
            endpoints: existing.endpoints === undefined ? undefined : pulumi.output(existing.endpoints),
            compute: existing.compute === undefined ? undefined : pulumi.output(existing.compute),
            egressAddress: existing.egressAddress === undefined ? undefined : pulumi.output(existing.egressAddress),
        }
    );
}

/** A segment of an ARM id: 4 is the resource group, 8 the name. */
function segment(id: string | undefined, index: number): string {
    return id?.split("/")[index] ?? "";
}
