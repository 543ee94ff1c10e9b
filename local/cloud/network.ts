import { armResource, recorded, type CloudService } from "./resource-type";

/** The network, on paper: everything on one machine reaches everything, and goes out with an address of the documentation's range. */
export const network: CloudService = {
    types: {
        "azure-native:network:VirtualNetwork": recorded(armResource("Microsoft.Network/virtualNetworks", "virtualNetworkName")),
        "azure-native:network:Subnet": recorded(armResource("Microsoft.Network/virtualNetworks/subnets", "virtualNetworkName", "subnetName")),
        "azure-native:network:NatGateway": recorded(armResource("Microsoft.Network/natGateways", "natGatewayName")),
        "azure-native:network:PublicIPAddress": recorded(armResource("Microsoft.Network/publicIPAddresses", "publicIpAddressName"), () => ({
            ipAddress: "203.0.113.10",
        })),
        "azure-native:network:PrivateEndpoint": recorded(armResource("Microsoft.Network/privateEndpoints", "privateEndpointName")),
        "azure-native:network:PrivateDnsZoneGroup": recorded(
            armResource("Microsoft.Network/privateEndpoints/privateDnsZoneGroups", "privateEndpointName", "privateDnsZoneGroupName"),
        ),
        "azure-native:privatedns:PrivateZone": recorded(armResource("Microsoft.Network/privateDnsZones", "privateZoneName")),
        "azure-native:privatedns:VirtualNetworkLink": recorded(
            armResource("Microsoft.Network/privateDnsZones/virtualNetworkLinks", "privateZoneName", "virtualNetworkLinkName"),
        ),
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": recorded(({ inputs, name }) => ({
            id: `sgr-${String(inputs.securityGroupId)}-${String(inputs.fromPort)}`,
            name,
        })),
    },
};
