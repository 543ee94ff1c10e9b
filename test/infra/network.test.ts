import { describe, expect, it } from "vitest";
import { quarters } from "../../infra/network/addresses";
import { onlyGroup } from "../../infra/network/database-access";
import { network as localNetwork } from "../../local/cloud/network";
import type { ResourceType } from "../../local/cloud/resource-type";
import { idOf } from "./expected";
import { record, subscription, type Recording } from "./recording";

const network = "azure-native:network:";
const rule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const inGroup = { resourceGroupName: "players-prod" };
const kinds = /^(azure-native:(network|privatedns):|aws:vpc\/)/;

function signature({ resources }: Recording): string[] {
    return resources
        .filter(({ type }) => kinds.test(type))
        .map(({ type, name }) => `${type.replace("azure-native:", "")} ${name}`)
        .sort();
}

const prod = record({ stack: "prod" });

describe("the network of prod", () => {
    it("is exactly this", async () => {
        const zones = ["api-azureml-ms", "blob-core-windows-net", "notebooks-azure-net", "queue-core-windows-net", "redis-azure-net"];
        const all = [...zones, "table-core-windows-net", "vaultcore-azure-net"];
        const endpoints = ["cache-redis", "lake-blob", "lake-queue", "ml-kv-vault", "ml-workspace", "runtime-blob", "runtime-queue", "runtime-table"];
        expect(signature(await prod)).toEqual(
            [
                "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule players-database-access",
                "network:NatGateway players-network-nat",
                "network:PublicIPAddress players-network-egress",
                "network:Subnet players-network-compute",
                "network:Subnet players-network-endpoints",
                "network:Subnet players-network-functions",
                "network:VirtualNetwork players-network-vnet",
                ...endpoints.flatMap((name) => [`network:PrivateEndpoint players-${name}`, `network:PrivateDnsZoneGroup players-${name}-names`]),
                ...all.flatMap((zone) => [`privatedns:PrivateZone players-network-${zone}`, `privatedns:VirtualNetworkLink players-network-${zone}-link`]),
            ].sort(),
        );
    });

    it("has a subnet for the functions that goes out by one fixed, zone-redundant address", async () => {
        const { get } = await prod;
        expect(get(`${network}VirtualNetwork`, "players-network-vnet").inputs).toMatchObject({ ...inGroup, addressSpace: { addressPrefixes: ["10.40.0.0/22"] } });
        expect(get(`${network}Subnet`, "players-network-functions").inputs).toMatchObject({
            ...inGroup,
            virtualNetworkName: "players-network-vnet",
            subnetName: "functions",
            addressPrefix: "10.40.0.0/24",
            delegations: [{ name: "functions", serviceName: "Microsoft.App/environments" }],
            natGateway: { id: idOf("network/NatGateway", "players-network-nat") },
            defaultOutboundAccess: false,
        });
        expect(get(`${network}NatGateway`, "players-network-nat").inputs).toMatchObject({
            sku: { name: "Standard" },
            publicIpAddresses: [{ id: idOf("network/PublicIPAddress", "players-network-egress") }],
        });
        const { inputs, protect } = get(`${network}PublicIPAddress`, "players-network-egress");
        expect(inputs).toMatchObject({ sku: { name: "Standard" }, publicIPAllocationMethod: "Static", publicIPAddressVersion: "IPv4", zones: ["1", "2", "3"] });
        expect(protect).toBe(true);
        expect(get("azure-native:web:WebApp", "players-handlers-app").inputs.virtualNetworkSubnetId).toBe(idOf("network/Subnet", "functions"));
    });

    it("has batch nodes without addresses of their own, once the workspace is reached from there", async () => {
        const { get } = await record({ stack: "prod", slow: (type) => type.endsWith("PrivateDnsZoneGroup") });
        const cluster = get("azure-native:machinelearningservices:Compute", "players-ml-batch-cluster");
        expect(cluster.inputs).toMatchObject({
            properties: { properties: { subnet: { id: idOf("network/Subnet", "compute") }, enableNodePublicIp: false } },
        });
        expect(cluster.after).toContain("players-ml-workspace-names");
        expect(get("azure-native:web:WebApp", "players-handlers-app").after).toContain("players-cache-redis-names");
    });

    it.each([
        ["lake-blob", "storage/StorageAccount", "playerslake", "blob", ["privatelink.blob.core.windows.net"]],
        ["lake-queue", "storage/StorageAccount", "playerslake", "queue", ["privatelink.queue.core.windows.net"]],
        ["runtime-table", "storage/StorageAccount", "playersruntime", "table", ["privatelink.table.core.windows.net"]],
        ["cache-redis", "redisenterprise/RedisEnterprise", "players-cache-cluster", "redisEnterprise", ["privatelink.redis.azure.net"]],
        ["ml-kv-vault", "keyvault/Vault", "players-ml-kv", "vault", ["privatelink.vaultcore.azure.net"]],
        [
            "ml-workspace",
            "machinelearningservices/Workspace",
            "players-ml-workspace",
            "amlworkspace",
            ["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"],
        ],
    ])("reaches %s privately, by names that it resolves", async (name, type, resource, groupId, zones) => {
        const { get } = await prod;
        expect(get(`${network}PrivateEndpoint`, `players-${name}`).inputs).toMatchObject({
            ...inGroup,
            subnet: { id: idOf("network/Subnet", "endpoints") },
            privateLinkServiceConnections: [{ privateLinkServiceId: idOf(type, resource), groupIds: [groupId] }],
        });
        expect(get(`${network}PrivateDnsZoneGroup`, `players-${name}-names`).inputs).toMatchObject({
            privateEndpointName: `players-${name}`,
            privateDnsZoneConfigs: zones.map((zone) => ({ name: zone.replaceAll(".", "-"), privateDnsZoneId: idOf("privatedns/PrivateZone", zone) })),
        });
        for (const zone of zones) {
            const logical = `players-network-${zone.replace("privatelink.", "").replaceAll(".", "-")}`;
            expect(get("azure-native:privatedns:PrivateZone", logical).inputs).toMatchObject({ privateZoneName: zone, location: "global" });
            expect(get("azure-native:privatedns:VirtualNetworkLink", `${logical}-link`).inputs).toMatchObject({
                privateZoneName: zone,
                location: "global",
                registrationEnabled: false,
                virtualNetwork: { id: idOf("network/VirtualNetwork", "players-network-vnet") },
            });
        }
    });

    it("closes what holds data, and leaves Event Grid and deployments their way in", async () => {
        const { get } = await prod;
        const account = (name: string) => get("azure-native:storage:StorageAccount", name).inputs;
        expect(account("playerslake")).toMatchObject({ publicNetworkAccess: "Enabled", networkRuleSet: { defaultAction: "Deny", bypass: "AzureServices" } });
        expect(account("playersruntime")).toMatchObject({ networkRuleSet: { defaultAction: "Allow", bypass: "AzureServices" } });
        expect(get("azure-native:eventgrid:SystemTopic", "players-lake-events-topic").inputs.identity).toEqual({ type: "SystemAssigned" });
        expect(get("azure-native:redisenterprise:RedisEnterprise", "players-cache-cluster").inputs.publicNetworkAccess).toBe("Disabled");
        expect(get("azure-native:machinelearningservices:Workspace", "players-ml-workspace").inputs.publicNetworkAccess).toBe("Disabled");
        expect(get("azure-native:machinelearningservices:OnlineEndpoint", "players-ml-online").inputs).toMatchObject({
            properties: { publicNetworkAccess: "Disabled" },
        });
        expect(get("azure-native:keyvault:Vault", "players-ml-kv").inputs).toMatchObject({
            properties: { publicNetworkAccess: "Disabled", networkAcls: { defaultAction: "Deny", bypass: "AzureServices" } },
        });
    });

    it("lets its one address into the database's security group, at the database's port", async () => {
        const { get, outputs } = await prod;
        expect(get(rule, "players-database-access").inputs).toMatchObject({
            securityGroupId: "sg-0a1b2c3d4e5f60718",
            ipProtocol: "tcp",
            fromPort: 3306,
            toPort: 3306,
            cidrIpv4: "203.0.113.10/32",
        });
        expect(outputs.egressAddress).toEqual({ value: "203.0.113.10", secret: false });
    });

    it("is there in a preview, where nothing has answered yet", async () => {
        expect(signature(await record({ stack: "prod", preview: true }))).toEqual(signature(await prod));
    });

    it("is known on one machine, each resource by an id of its own", async () => {
        const known: Readonly<Record<string, ResourceType>> = localNetwork.types;
        const asked = (await prod).resources.filter(({ type }) => kinds.test(type));
        const ids = asked.map((each) => known[each.type]?.identify(each).id);
        expect(ids).not.toContain(undefined);
        expect(new Set(ids).size).toBe(asked.length);
    });

    it("is tagged wherever a type takes tags", async () => {
        const tagged = (await prod).resources.filter(({ type }) => kinds.test(type) && !/Subnet$|ZoneGroup$/.test(type));
        for (const { name, inputs } of tagged) {
            expect(inputs.tags, name).toMatchObject({ project: "player-predictions", stack: "prod" });
        }
    });
});

describe("other networks", () => {
    it("dev has none: no address, no rule, services open to whoever has a role", async () => {
        const dev = await record();
        expect(signature(dev)).toEqual([]);
        expect(dev.get("azure-native:web:WebApp", "players-handlers-app").inputs.virtualNetworkSubnetId).toBeUndefined();
        expect(dev.get("azure-native:storage:StorageAccount", "playerslake").inputs.networkRuleSet).toEqual({ defaultAction: "Allow", bypass: "AzureServices" });
    });

    it("nat is a fixed address and nothing private", async () => {
        const nat = await record({ config: { network: "nat", zoneRedundant: "false" } });
        expect(signature(nat)).toEqual([
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule players-database-access",
            "network:NatGateway players-network-nat",
            "network:PublicIPAddress players-network-egress",
            "network:Subnet players-network-functions",
            "network:VirtualNetwork players-network-vnet",
        ]);
        const { inputs, protect } = nat.get(`${network}PublicIPAddress`, "players-network-egress");
        expect(inputs).not.toHaveProperty("zones");
        expect(protect).toBe(false);
    });

    it("makes no zone, endpoint or subnet for models that are elsewhere", async () => {
        const existing = {
            existingScoringUri: "https://online.example.com/score",
            existingScoringDeployment: "blue",
            existingBatchUri: "https://batch.example.com/jobs",
            existingBatchDeployment: "green",
            existingOutputDatastore: `${subscription}/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/d`,
            existingModelVersion: "1",
        };
        const names = signature(await record({ stack: "prod", config: existing }));
        expect(names.filter((each) => /azureml|notebooks|vault|compute|ml-/.test(each))).toEqual([]);
    });

    it("takes the database's own security group or another, or leaves the database to the studio", async () => {
        const own = await record({ config: { network: "nat" } });
        expect(own.get(rule, "players-database-access").inputs.securityGroupId).toBe("sg-0123456789abcdef0");
        const other = await record({ config: { network: "nat", databaseSecurityGroup: "sg-0a1b2c3d" } });
        expect(other.get(rule, "players-database-access").inputs.securityGroupId).toBe("sg-0a1b2c3d");
        expect((await record({ config: { network: "nat", databaseSecurityGroup: "skip" } })).all(rule)).toEqual([]);
    });
});

describe("quarters", () => {
    it.each([
        ["10.40.0.0/22", ["10.40.0.0/24", "10.40.1.0/24", "10.40.2.0/24", "10.40.3.0/24"]],
        ["192.168.7.0/24", ["192.168.7.0/26", "192.168.7.64/26", "192.168.7.128/26", "192.168.7.192/26"]],
        ["172.31.0.0/16", ["172.31.0.0/18", "172.31.64.0/18", "172.31.128.0/18", "172.31.192.0/18"]],
        ["10.40.1.9/22", ["10.40.0.0/24", "10.40.1.0/24", "10.40.2.0/24", "10.40.3.0/24"]],
    ])("of %s", (cidr, expected) => {
        expect(quarters(cidr)).toEqual(expected);
    });
});

describe("the database's security group", () => {
    it("is the one that the instance has", () => {
        expect(onlyGroup(["sg-1"])).toBe("sg-1");
    });

    it.each([
        [[], "the id of a security group: the instance has none, or skip"],
        [["sg-1", "sg-2"], "one of sg-1, sg-2, which the instance has, or skip"],
    ])("is asked for where it has %j", (groups, allowed) => {
        expect(() => onlyGroup(groups)).toThrow(`player-predictions:databaseSecurityGroup is ""; allowed: ${allowed}`);
    });
});
