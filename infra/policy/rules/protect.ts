import { isWithin, stackOf, type Rule, type RuleResource } from "../rule";

const inLake = (resource: RuleResource) => isWithin(resource, "player-predictions:lake:Lake");
const always = () => true;

/** What holds something that no update brings back, by its type. */
const holders: Readonly<Record<string, (resource: RuleResource) => boolean>> = {
    // Deleting it deletes everything in it.
    "azure-native:resources:ResourceGroup": always,
    "azure-native:storage:StorageAccount": always,
    // In the other account are packages and models, which are made again from their sources.
    "azure-native:storage:BlobContainer": inLake,
    "azure-native:storage:Queue": inLake,
    "azure-native:redisenterprise:RedisEnterprise": always,
    "azure-native:redisenterprise:Database": always,
    "azure-native:keyvault:Vault": always,
    "azure-native:operationalinsights:Workspace": always,
    "azure-native:machinelearningservices:Workspace": always,
    // Firewalls elsewhere let it in by its number.
    "azure-native:network:PublicIPAddress": always,
};

/** Whether a resource holds something that no update brings back: player data, secrets, logs, an address that others know. */
export function holdsData(resource: RuleResource): boolean {
    return holders[resource.type]?.(resource) ?? false;
}

export const protectRules: readonly Rule[] = [
    {
        name: "data-protected",
        description: "In production (stacks named prod or prod-...) nothing that holds data is deleted or replaced by an update.",
        check: (resource) =>
            /^prod(-|$)/.test(stackOf(resource)) && holdsData(resource) && !resource.protect
                ? ["it can be deleted: set the option protect to true"]
                : [],
    },
];
