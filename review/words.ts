import type { Change } from "./change";
import type { Show } from "./values";

/** Names of types that do not follow from their token. */
const nouns: Readonly<Record<string, string>> = {
    "azure-native:operationalinsights:Workspace": "log workspace",
    "azure-native:machinelearningservices:Workspace": "Azure ML workspace",
    "azure-native:machinelearningservices:Compute": "Azure ML cluster",
    "azure-native:machinelearningservices:CodeVersion": "model code",
    "azure-native:machinelearningservices:ModelVersion": "model",
    "azure-native:machinelearningservices:EnvironmentVersion": "model environment",
    "azure-native:applicationinsights:Component": "Application Insights",
    "azure-native:monitor:ScheduledQueryRule": "alert",
    "azure-native:redisenterprise:RedisEnterprise": "Redis",
    "azure-native:redisenterprise:Database": "Redis database",
    "azure-native:redisenterprise:AccessPolicyAssignment": "Redis access",
    "azure-native:keyvault:Vault": "Key Vault",
    "azure-native:keyvault:Secret": "Key Vault secret",
    "azure-native:storage:BlobContainer": "container",
    "azure-native:storage:BlobServiceProperties": "blob service",
    "azure-native:storage:ManagementPolicy": "lifecycle policy",
    "azure-native:containerregistry:Registry": "container registry",
    "azure-native:managedidentity:UserAssignedIdentity": "identity",
    "azure-native:eventgrid:SystemTopicEventSubscription": "event subscription",
    "azure-native:web:WebApp": "function app",
    "azure-native:web:WebAppFtpAllowed": "FTP publishing",
    "azure-native:web:WebAppScmAllowed": "SCM publishing",
    "aws:iam/role:Role": "AWS role",
    "aws:iam/rolePolicy:RolePolicy": "AWS role policy",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "AWS OIDC provider",
    "azuread:index/application:Application": "app registration",
};

/** What a resource of a type is called. */
export function nounOf(type: string, show: Show): string {
    const known = Object.hasOwn(nouns, type) ? nouns[type] : undefined;
    const words = (type.split(/[:/]/).at(-1) ?? "").replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
    return known ?? (/^[A-Za-z0-9 ]{1,60}$/.test(words) ? words.toLowerCase() : show.text(type));
}

/** A resource in a sentence: what it is and what the program calls it. */
export function subjectOf({ type, name }: Pick<Change, "type" | "name">, show: Show): string {
    return `${nounOf(type, show)} ${show.text(name)}`;
}
