import { stackOf, type Rule } from "../rule";

/** Types of what holds something that no update brings back. */
export const dataTypes: ReadonlySet<string> = new Set([
    // Deleting it deletes everything in it.
    "azure-native:resources:ResourceGroup",
    "azure-native:storage:StorageAccount",
    "azure-native:storage:BlobContainer",
    "azure-native:redisenterprise:RedisEnterprise",
    "azure-native:redisenterprise:Database",
    "azure-native:keyvault:Vault",
    "azure-native:operationalinsights:Workspace",
]);

export const protectRules: readonly Rule[] = [
    {
        name: "data-protected",
        description: "In production (stacks named prod or prod-...) nothing that holds data is deleted or replaced by an update.",
        check: (resource) =>
            dataTypes.has(resource.type) && !resource.protect && /^prod(-|$)/.test(stackOf(resource)) ? ["it can be deleted: set the option protect to true"] : [],
    },
];
