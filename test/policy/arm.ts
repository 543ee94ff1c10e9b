import { readFileSync } from "node:fs";
import path from "node:path";
import { text, type Recorded } from "../infra/recording";

const sdk = path.resolve(__dirname, "..", "..", "node_modules", "@pulumi", "azure-native");

/** A resource of an ARM template. */
export interface ArmResource {
    readonly type: string;
    readonly apiVersion: string;
    readonly name: string;
    readonly properties: unknown;
    readonly [envelope: string]: unknown;
}

/** A type of ARM and the inputs that name a resource's parents, outermost first, and itself; `=text` stands for itself. */
type Address = readonly [armType: string, ...names: string[]];

const addresses: Readonly<Record<string, Address>> = {
    "applicationinsights:Component": ["Microsoft.Insights/components", "resourceName"],
    "authorization:RoleAssignment": ["Microsoft.Authorization/roleAssignments", "roleAssignmentName"],
    "containerregistry:Registry": ["Microsoft.ContainerRegistry/registries", "registryName"],
    "eventgrid:SystemTopic": ["Microsoft.EventGrid/systemTopics", "systemTopicName"],
    "eventgrid:SystemTopicEventSubscription": [
        "Microsoft.EventGrid/systemTopics/eventSubscriptions",
        "systemTopicName",
        "eventSubscriptionName",
    ],
    "keyvault:Secret": ["Microsoft.KeyVault/vaults/secrets", "vaultName", "secretName"],
    "keyvault:Vault": ["Microsoft.KeyVault/vaults", "vaultName"],
    "machinelearningservices:BatchDeployment": [
        "Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments",
        "workspaceName",
        "endpointName",
        "deploymentName",
    ],
    "machinelearningservices:BatchEndpoint": [
        "Microsoft.MachineLearningServices/workspaces/batchEndpoints",
        "workspaceName",
        "endpointName",
    ],
    "machinelearningservices:CodeVersion": [
        "Microsoft.MachineLearningServices/workspaces/codes/versions",
        "workspaceName",
        "name",
        "version",
    ],
    "machinelearningservices:Compute": ["Microsoft.MachineLearningServices/workspaces/computes", "workspaceName", "computeName"],
    "machinelearningservices:Datastore": ["Microsoft.MachineLearningServices/workspaces/datastores", "workspaceName", "name"],
    "machinelearningservices:EnvironmentVersion": [
        "Microsoft.MachineLearningServices/workspaces/environments/versions",
        "workspaceName",
        "name",
        "version",
    ],
    "machinelearningservices:ModelVersion": [
        "Microsoft.MachineLearningServices/workspaces/models/versions",
        "workspaceName",
        "name",
        "version",
    ],
    "machinelearningservices:OnlineDeployment": [
        "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments",
        "workspaceName",
        "endpointName",
        "deploymentName",
    ],
    "machinelearningservices:OnlineEndpoint": [
        "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
        "workspaceName",
        "endpointName",
    ],
    "machinelearningservices:Workspace": ["Microsoft.MachineLearningServices/workspaces", "workspaceName"],
    "managedidentity:UserAssignedIdentity": ["Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName"],
    "monitor:ActionGroup": ["Microsoft.Insights/actionGroups", "actionGroupName"],
    "monitor:ScheduledQueryRule": ["Microsoft.Insights/scheduledQueryRules", "ruleName"],
    "network:NatGateway": ["Microsoft.Network/natGateways", "natGatewayName"],
    "network:PrivateDnsZoneGroup": [
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "privateEndpointName",
        "privateDnsZoneGroupName",
    ],
    "network:PrivateEndpoint": ["Microsoft.Network/privateEndpoints", "privateEndpointName"],
    "network:PublicIPAddress": ["Microsoft.Network/publicIPAddresses", "publicIpAddressName"],
    "network:Subnet": ["Microsoft.Network/virtualNetworks/subnets", "virtualNetworkName", "subnetName"],
    "network:VirtualNetwork": ["Microsoft.Network/virtualNetworks", "virtualNetworkName"],
    "operationalinsights:Workspace": ["Microsoft.OperationalInsights/workspaces", "workspaceName"],
    "privatedns:PrivateZone": ["Microsoft.Network/privateDnsZones", "privateZoneName"],
    "privatedns:VirtualNetworkLink": ["Microsoft.Network/privateDnsZones/virtualNetworkLinks", "privateZoneName", "virtualNetworkLinkName"],
    "redisenterprise:AccessPolicyAssignment": [
        "Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments",
        "clusterName",
        "databaseName",
        "accessPolicyAssignmentName",
    ],
    "redisenterprise:Database": ["Microsoft.Cache/redisEnterprise/databases", "clusterName", "databaseName"],
    "redisenterprise:RedisEnterprise": ["Microsoft.Cache/redisEnterprise", "clusterName"],
    "resources:Deployment": ["Microsoft.Resources/deployments", "deploymentName"],
    "resources:ResourceGroup": ["Microsoft.Resources/resourceGroups", "resourceGroupName"],
    "storage:BlobContainer": ["Microsoft.Storage/storageAccounts/blobServices/containers", "accountName", "=default", "containerName"],
    "storage:BlobServiceProperties": ["Microsoft.Storage/storageAccounts/blobServices", "accountName", "blobServicesName"],
    "storage:ManagementPolicy": ["Microsoft.Storage/storageAccounts/managementPolicies", "accountName", "managementPolicyName"],
    "storage:Queue": ["Microsoft.Storage/storageAccounts/queueServices/queues", "accountName", "=default", "queueName"],
    "storage:StorageAccount": ["Microsoft.Storage/storageAccounts", "accountName"],
    "web:AppServicePlan": ["Microsoft.Web/serverfarms", "name"],
    "web:WebApp": ["Microsoft.Web/sites", "name"],
    "web:WebAppFtpAllowed": ["Microsoft.Web/sites/basicPublishingCredentialsPolicies", "name", "=ftp"],
    "web:WebAppScmAllowed": ["Microsoft.Web/sites/basicPublishingCredentialsPolicies", "name", "=scm"],
};

/** No resources of ARM: blobs go to the storage itself. */
const notArm: ReadonlySet<string> = new Set(["storage:Blob"]);

/** What stands beside `properties` in a body. */
const envelope: ReadonlySet<string> = new Set(["location", "tags", "sku", "kind", "identity", "zones"]);

/** Where the SDK has a name of its own. */
const renamed: Readonly<Record<string, string>> = {
    enableHttpsTrafficOnly: "supportsHttpsTrafficOnly",
    networkRuleSet: "networkAcls",
    disableLocalAuth: "DisableLocalAuth",
};

/** A template of all that the program registers on Azure. */
export function armTemplate(resources: readonly Recorded[]) {
    return {
        $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        contentVersion: "1.0.0.0",
        resources: resources.filter(({ type }) => type.startsWith("azure-native:") && !notArm.has(shortOf(type))).map(armResource),
    };
}

/** The body that the provider sends: inputs of the address go, and what is no part of the envelope goes into `properties`. */
function armResource({ type, name, inputs }: Recorded): ArmResource {
    const address = addresses[shortOf(type)];
    if (address === undefined) {
        throw new Error(`${type} has no address in test/policy/arm.ts: add its ARM type and the inputs that name it`);
    }
    const [armType, ...names] = address;
    const inAddress = new Set(["resourceGroupName", ...names]);
    const rest = Object.entries(inputs).filter(([key]) => !inAddress.has(key) && key !== "properties");
    const beside = Object.fromEntries(rest.filter(([key]) => envelope.has(key)));
    const inside = Object.fromEntries(rest.filter(([key]) => !envelope.has(key)).map(([key, value]) => [renamed[key] ?? key, value]));
    return {
        type: armType,
        apiVersion: apiVersionOf(type),
        // A resource that the inputs do not name is named by the provider, after the program's name for it.
        name: names.map((each) => (each.startsWith("=") ? each.slice(1) : text(inputs[each] ?? name))).join("/"),
        ...beside,
        ...("identity" in beside ? { identity: armIdentity(beside.identity) } : {}),
        properties: { ...(inputs.properties as object | undefined), ...inside },
    };
}

/** The SDK has a list of identities where ARM has a map. */
function armIdentity(identity: unknown): unknown {
    const { userAssignedIdentities, ...rest } = identity as { readonly userAssignedIdentities?: readonly string[] };
    return userAssignedIdentities === undefined
        ? rest
        : { ...rest, userAssignedIdentities: Object.fromEntries(userAssignedIdentities.map((id) => [id, {}])) };
}

function apiVersionOf(type: string): string {
    const [module = "", name = ""] = shortOf(type).split(":");
    const declaration = readFileSync(path.join(sdk, module, `${name.charAt(0).toLowerCase()}${name.slice(1)}.d.ts`), "utf8");
    const version = /Uses Azure REST API version (\d{4}-\d{2}-\d{2}(?:-preview)?)/.exec(declaration)?.[1];
    if (version === undefined) {
        throw new Error(`the SDK does not say which API version ${type} has`);
    }
    return version;
}

function shortOf(type: string): string {
    return type.replace(/^azure-native:/, "");
}
