import { describe, expect, it } from "vitest";
import { record, subscription } from "./recording";

const networkId = `${subscription}/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/spoke`;
const subnet = (name: string) => `${networkId}/subnets/${name}`;

describe("a resource group that is there already", () => {
    it("is looked up and used, not made", async () => {
        const { calls, resources, all } = await record({ config: { existingResourceGroup: "games" } });
        expect(calls.map(({ token, inputs }) => [token, inputs])).toContainEqual(["azure-native:resources:getResourceGroup", { resourceGroupName: "games" }]);
        expect(all("azure-native:resources:ResourceGroup")).toEqual([]);
        const groups = resources.flatMap(({ inputs }) => (inputs.resourceGroupName === undefined ? [] : [inputs.resourceGroupName]));
        expect(new Set(groups)).toEqual(new Set(["games"]));
    });
});

describe("a log workspace that is there already", () => {
    it("takes the telemetry, and none is made", async () => {
        const existingLogWorkspaceId = `${subscription}/resourceGroups/ops/providers/Microsoft.OperationalInsights/workspaces/logs`;
        const { all, get } = await record({ config: { existingLogWorkspaceId } });
        expect(all("azure-native:operationalinsights:Workspace")).toEqual([]);
        expect(get("azure-native:applicationinsights:Component", "players-monitoring-insights").inputs.workspaceResourceId).toBe(existingLogWorkspaceId);
    });
});

describe("Key Vaults that are there already", () => {
    const vault = (name: string) => `${subscription}/resourceGroups/ops/providers/Microsoft.KeyVault/vaults/${name}`;
    const config = {
        databaseAuth: "password",
        databasePassword: "secret",
        existingKeyVaultId: vault("shared"),
        existingModelVaultId: vault("models"),
    };

    it("hold the password, of which alone the handlers are told, and the workspace's own secrets", async () => {
        const { all, get } = await record({ config });
        expect(all("azure-native:keyvault:Vault")).toEqual([]);
        const { inputs } = get("azure-native:keyvault:Secret", "players-db-secret");
        expect(inputs).toMatchObject({ resourceGroupName: "ops", vaultName: "shared", secretName: "database-password" });
        expect(String(get("azure-native:authorization:RoleAssignment", "players-db-reader-role").inputs.scope)).toMatch(/keyvault\/Secret\/players-db-secret$/);
        expect(get("azure-native:machinelearningservices:Workspace", "players-ml-workspace").inputs.keyVault).toBe(vault("models"));
    });

    it("keep their own firewall: no private endpoint leads to them", async () => {
        const { resources } = await record({ stack: "prod", config });
        expect(resources.filter(({ name }) => /vault/.test(name))).toEqual([]);
    });
});

describe("a network that is there already", () => {
    it("gets the subnets, and everything else around them", async () => {
        const { all, get } = await record({ stack: "prod", config: { existingVirtualNetworkId: networkId, networkCidr: "10.9.0.0/24" } });
        expect(all("azure-native:network:VirtualNetwork")).toEqual([]);
        expect(all("azure-native:network:Subnet").map(({ inputs }) => [inputs.resourceGroupName, inputs.virtualNetworkName, inputs.addressPrefix])).toEqual([
            ["hub", "spoke", "10.9.0.0/26"],
            ["hub", "spoke", "10.9.0.64/26"],
            ["hub", "spoke", "10.9.0.128/26"],
        ]);
        expect(get("azure-native:privatedns:VirtualNetworkLink", "players-network-blob-core-windows-net-link").inputs).toMatchObject({
            virtualNetwork: { id: networkId },
        });
    });

    const subnets = {
        existingFunctionSubnetId: subnet("f"),
        existingEndpointSubnetId: subnet("e"),
        existingComputeSubnetId: subnet("c"),
    };

    it("may bring its subnets and their way out", async () => {
        const { all, get, outputs } = await record({ stack: "prod", config: { ...subnets, existingEgressAddress: "198.51.100.4" } });
        for (const type of ["VirtualNetwork", "Subnet", "NatGateway", "PublicIPAddress"]) {
            expect(all(`azure-native:network:${type}`)).toEqual([]);
        }
        expect(get("azure-native:web:WebApp", "players-handlers-app").inputs.virtualNetworkSubnetId).toBe(subnet("f"));
        for (const { name, inputs } of all("azure-native:network:PrivateEndpoint")) {
            expect(inputs.subnet, name).toMatchObject({ id: subnet("e") });
        }
        expect(get("azure-native:machinelearningservices:Compute", "players-ml-batch-cluster").inputs).toMatchObject({
            properties: { properties: { subnet: { id: subnet("c") } } },
        });
        expect(get("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "players-database-access").inputs.cidrIpv4).toBe("198.51.100.4/32");
        expect(outputs.egressAddress?.value).toBe("198.51.100.4");
    });

    it("leaves the database alone where nobody says which address it goes out with", async () => {
        const { all, outputs } = await record({ stack: "prod", config: subnets });
        expect(all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")).toEqual([]);
        expect(outputs.egressAddress?.value).toBe("");
    });
});

describe("private DNS zones", () => {
    it("may be elsewhere", async () => {
        const privateDnsZones = `${subscription}/resourceGroups/dns`;
        const { all, get } = await record({ stack: "prod", config: { privateDnsZones } });
        expect([...all("azure-native:privatedns:PrivateZone"), ...all("azure-native:privatedns:VirtualNetworkLink")]).toEqual([]);
        expect(get("azure-native:network:PrivateDnsZoneGroup", "players-cache-redis-names").inputs).toMatchObject({
            privateDnsZoneConfigs: [
                { privateDnsZoneId: `${privateDnsZones}/providers/Microsoft.Network/privateDnsZones/privatelink.redis.azure.net` },
            ],
        });
    });

    it("may be left to the tenant's policy", async () => {
        const { resources, all } = await record({ stack: "prod", config: { privateDnsZones: "skip" } });
        expect(resources.filter(({ type }) => /privatedns|PrivateDnsZoneGroup/.test(type))).toEqual([]);
        expect(all("azure-native:network:PrivateEndpoint")).toHaveLength(8);
    });
});

const dev = record();
const prod = record({ stack: "prod", config: { databaseAuth: "password", databasePassword: "secret" } });

describe("protection", () => {
    it("is on whatever holds data in prod, on the resource group and on the fixed address", async () => {
        const { resources } = await prod;
        const kept = resources.filter(({ protect }) => protect).map(({ type, name }) => `${type.replace("azure-native:", "")} ${name}`);
        expect(kept.sort()).toEqual([
            "keyvault:Vault players-db-kv",
            "keyvault:Vault players-ml-kv",
            "machinelearningservices:Workspace players-ml-workspace",
            "network:PublicIPAddress players-network-egress",
            "operationalinsights:Workspace players-monitoring-logs",
            "redisenterprise:Database players-cache-database",
            "redisenterprise:RedisEnterprise players-cache-cluster",
            "resources:ResourceGroup players-group",
            "storage:BlobContainer players-lake-batches",
            "storage:BlobContainer players-lake-comparisons",
            "storage:BlobContainer players-lake-dead-letters",
            "storage:BlobContainer players-lake-logs",
            "storage:BlobContainer players-lake-models",
            "storage:BlobContainer players-lake-predictions",
            "storage:BlobContainer players-lake-requests",
            "storage:BlobContainer players-lake-runs",
            "storage:Queue players-lake-folders-ready",
            "storage:Queue players-lake-folders-ready-poison",
            "storage:Queue players-lake-jobs-changed",
            "storage:Queue players-lake-jobs-changed-poison",
            "storage:Queue players-lake-predictions-ready",
            "storage:Queue players-lake-predictions-ready-poison",
            "storage:StorageAccount playerslake",
            "storage:StorageAccount playersruntime",
        ]);
    });

    it("is on nothing in dev", async () => {
        expect((await dev).resources.filter(({ protect }) => protect)).toEqual([]);
    });
});

describe("redundancy", () => {
    it("is over zones where Azure offers it in prod, and none in dev", async () => {
        const of = async (recording: typeof dev) => {
            const { get } = await recording;
            const account = (name: string) => (get("azure-native:storage:StorageAccount", name).inputs.sku as { name: string }).name;
            return {
                lake: account("playerslake"),
                runtime: account("playersruntime"),
                plan: get("azure-native:web:AppServicePlan", "players-handlers-plan").inputs.zoneRedundant,
                redis: get("azure-native:redisenterprise:RedisEnterprise", "players-cache-cluster").inputs.highAvailability,
            };
        };
        expect(await of(prod)).toEqual({ lake: "Standard_ZRS", runtime: "Standard_ZRS", plan: true, redis: "Enabled" });
        expect(await of(dev)).toEqual({ lake: "Standard_LRS", runtime: "Standard_LRS", plan: false, redis: "Disabled" });
    });
});
