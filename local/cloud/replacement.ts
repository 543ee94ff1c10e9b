import { LocalCloudError } from "./resource-type";

/**
 * How the real provider names a resource that the program does not name: by the logical name and a random suffix, by the logical name
 * alone, or by a random GUID. `none`: the program must name it, or it has no name of its own.
 */
export type Naming = "random" | "copy" | "guid" | "none";

/** What the real provider does with a type when its inputs are checked and compared. */
export interface TypeRule {
    /** Input that holds the resource's own name. */
    readonly nameInput?: string;
    readonly naming: Naming;
    /** Whether it has a `location`, which the provider fills in from its configuration. */
    readonly located: boolean;
    /** Inputs that cannot be updated, as paths with dots: the resource is replaced. */
    readonly replacedBy: readonly string[];
    /** Outputs that an update may change. */
    readonly changing: readonly string[];
}

/**
 * An ARM resource. Every parameter of its address replaces it, and so does the location of a tracked resource:
 * https://github.com/pulumi/pulumi-azure-native/blob/master/provider/pkg/provider/diff.go (calculateDetailedDiff),
 * https://github.com/Azure/azure-rest-api-specs/blob/main/specification/common-types/resource-management/v5/types.json (TrackedResource).
 */
function arm(address: readonly string[], options: Partial<TypeRule> = {}): TypeRule {
    const { naming = "random", located = false, replacedBy = [], changing = [] } = options;
    return {
        nameInput: address.at(-1) ?? "",
        naming,
        located,
        replacedBy: ["resourceGroupName", ...address, ...(located ? ["location"] : []), ...replacedBy],
        changing,
    };
}

/** A resource whose address is no path of names. */
function other(options: Partial<TypeRule>): TypeRule {
    return { naming: "none", located: false, replacedBy: [], changing: [], ...options };
}

const tracked = { located: true } as const;
const ml = ["workspaceName"] as const;

/**
 * The rules of azure-native 3.28, azuread 6.9 and aws 7.48 for the types that the program registers. Beside what `arm` says:
 * `forceNewMap` of https://github.com/pulumi/pulumi-azure-native/blob/master/provider/pkg/gen/replacement.go (marked F), the descriptions
 * of the inputs in the SDKs (D), and the schema of the provider's own resources,
 * https://github.com/pulumi/pulumi-azure-native/tree/master/provider/pkg/resources/customresources (C); and what Azure's specification marks with
 * `x-ms-mutability` as created and read alone, of Azure ML in `mfe.json` of
 * https://github.com/Azure/azure-rest-api-specs/tree/main/specification/machinelearningservices (M). Of Azure ML's other types nothing is marked.
 */
const rules: Readonly<Record<string, TypeRule>> = {
    "azure-native:resources:ResourceGroup": other({ nameInput: "resourceGroupName", naming: "random", located: true, replacedBy: ["resourceGroupName", "location"] }), // F
    "azure-native:resources:Deployment": arm(["deploymentName"], { changing: ["properties"] }),
    "azure-native:managedidentity:UserAssignedIdentity": arm(["resourceName"], tracked),
    "azure-native:authorization:RoleAssignment": other({ nameInput: "roleAssignmentName", naming: "guid", replacedBy: ["roleAssignmentName", "scope", "principalId"] }), // F
    "azure-native:authorization:RoleDefinition": other({ nameInput: "roleDefinitionId", naming: "guid", replacedBy: ["roleDefinitionId", "scope"] }),
    "azure-native:operationalinsights:Workspace": arm(["workspaceName"], tracked),
    "azure-native:applicationinsights:Component": arm(["resourceName"], tracked),
    "azure-native:monitor:ActionGroup": arm(["actionGroupName"], tracked),
    "azure-native:monitor:ScheduledQueryRule": arm(["ruleName"], tracked),
    "azure-native:containerregistry:Registry": arm(["registryName"], tracked), // D: location
    "azure-native:keyvault:Vault": arm(["vaultName"], tracked),
    "azure-native:keyvault:Secret": arm(["vaultName", "secretName"], { changing: ["properties"] }),
    "azure-native:storage:StorageAccount": arm(["accountName"], { located: true, replacedBy: ["isHnsEnabled"] }), // F
    "azure-native:storage:BlobServiceProperties": arm(["accountName", "blobServicesName"], { naming: "none" }),
    "azure-native:storage:ManagementPolicy": arm(["accountName", "managementPolicyName"], { naming: "none" }),
    "azure-native:storage:BlobContainer": arm(["accountName", "containerName"]),
    "azure-native:storage:Queue": arm(["accountName", "queueName"]),
    "azure-native:storage:Blob": arm(["accountName", "containerName", "blobName"], { naming: "copy", replacedBy: ["contentMd5", "source", "type"] }), // C
    "azure-native:network:VirtualNetwork": arm(["virtualNetworkName"], tracked), // F
    "azure-native:network:Subnet": arm(["virtualNetworkName", "subnetName"]), // F: none else
    "azure-native:network:NatGateway": arm(["natGatewayName"], tracked),
    "azure-native:network:PublicIPAddress": arm(["publicIpAddressName"], { located: true, replacedBy: ["publicIPAddressVersion", "publicIPPrefix", "sku"] }), // F
    "azure-native:network:PrivateEndpoint": arm(["privateEndpointName"], { located: true, replacedBy: ["subnet"] }), // F
    "azure-native:network:PrivateDnsZoneGroup": arm(["privateEndpointName", "privateDnsZoneGroupName"]),
    "azure-native:privatedns:PrivateZone": arm(["privateZoneName"], tracked),
    "azure-native:privatedns:VirtualNetworkLink": arm(["privateZoneName", "virtualNetworkLinkName"], tracked),
    "azure-native:eventgrid:SystemTopic": arm(["systemTopicName"], tracked),
    "azure-native:eventgrid:SystemTopicEventSubscription": arm(["systemTopicName", "eventSubscriptionName"]),
    "azure-native:redisenterprise:RedisEnterprise": arm(["clusterName"], tracked),
    "azure-native:redisenterprise:Database": arm(["clusterName", "databaseName"], { replacedBy: ["modules", "port"] }), // D: at creation
    "azure-native:redisenterprise:AccessPolicyAssignment": arm(["clusterName", "databaseName", "accessPolicyAssignmentName"]),
    "azure-native:web:AppServicePlan": arm(["name"], tracked),
    "azure-native:web:WebApp": arm(["name"], { located: true, replacedBy: ["kind"] }), // F
    "azure-native:web:WebAppFtpAllowed": arm(["name"], { naming: "none" }),
    "azure-native:web:WebAppScmAllowed": arm(["name"], { naming: "none" }),
    "azure-native:machinelearningservices:Workspace": arm(["workspaceName"], { located: true, replacedBy: ["keyVault", "storageAccount"] }), // D
    "azure-native:machinelearningservices:Datastore": arm([...ml, "name"]),
    "azure-native:machinelearningservices:EnvironmentVersion": arm([...ml, "name", "version"], {
        replacedBy: ["autoRebuild", "build", "condaFile", "image", "inferenceConfig", "osType"].map((each) => `properties.${each}`), // M
    }),
    "azure-native:machinelearningservices:CodeVersion": arm([...ml, "name", "version"]),
    "azure-native:machinelearningservices:ModelVersion": arm([...ml, "name", "version"]),
    "azure-native:machinelearningservices:Compute": arm([...ml, "computeName"], tracked),
    "azure-native:machinelearningservices:OnlineEndpoint": arm([...ml, "endpointName"], tracked),
    "azure-native:machinelearningservices:OnlineDeployment": arm([...ml, "endpointName", "deploymentName"], {
        located: true,
        replacedBy: ["properties.instanceType"], // M
    }),
    "azure-native:machinelearningservices:BatchEndpoint": arm([...ml, "endpointName"], tracked),
    "azure-native:machinelearningservices:BatchDeployment": arm([...ml, "endpointName", "deploymentName"], tracked),
    "azuread:index/application:Application": other({ replacedBy: ["templateId"] }), // D
    "azuread:index/applicationIdentifierUri:ApplicationIdentifierUri": other({ replacedBy: ["applicationId", "identifierUri"] }), // D
    // https://registry.terraform.io/providers/hashicorp/azuread/latest/docs/resources/service_principal#client_id
    "azuread:index/servicePrincipal:ServicePrincipal": other({ replacedBy: ["clientId"] }),
    // https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_openid_connect_provider#url
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": other({ replacedBy: ["url"] }),
    // https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role#name (and name_prefix, path)
    "aws:iam/role:Role": other({ nameInput: "name", naming: "random", replacedBy: ["name", "namePrefix", "path"] }),
    // https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role_policy#name (and name_prefix, role)
    "aws:iam/rolePolicy:RolePolicy": other({ nameInput: "name", naming: "random", replacedBy: ["name", "namePrefix", "role"] }),
    // https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/vpc_security_group_ingress_rule#security_group_id
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": other({ replacedBy: ["securityGroupId"] }),
};

/** Types that have a rule. */
export const ruledTypes = Object.keys(rules);

/** @throws LocalCloudError for a type without a rule */
export function ruleOf(type: string): TypeRule {
    const rule = rules[type];
    if (rule === undefined) {
        throw new LocalCloudError(`there is no rule of replacement for ${type}: add it to local/cloud/replacement.ts`);
    }
    return rule;
}

/** Whether a change at this path (`a.b[0].c`) replaces the resource: of the named input, or of anything in it. */
export function isReplacedBy({ replacedBy }: TypeRule, path: string): boolean {
    return replacedBy.some((input) => path === input || path.startsWith(`${input}.`) || path.startsWith(`${input}[`));
}
