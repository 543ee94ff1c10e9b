import { at, checks, expects, isWithin, type RuleResource, type Rule, type StackResource } from "../rule";

const account = "azure-native:storage:StorageAccount";
const blobService = "azure-native:storage:BlobServiceProperties";

/** Fewest days in which a deleted blob can be had back. */
const fewestDays = 7;

/**
 * Whether an account is the one of deployment packages, the host's state and Azure ML's assets. It holds no player data, its keys are
 * used by Pulumi's uploads, and what is overwritten in it is made again from the sources.
 */
function isRuntime(resource: RuleResource): boolean {
    return isWithin(resource, "player-predictions:runtime:Runtime");
}

/** The account's settings of its blobs, where the program states them. */
function blobServiceOf(resource: RuleResource, resources: readonly StackResource[]): StackResource | undefined {
    return resources.find((each) => each.type === blobService && each.comesFrom("accountName", resource));
}

export const storageRules: readonly Rule[] = [
    {
        name: "storage-no-public-access",
        description: "Nothing in a storage account is readable without signing in.",
        check: checks({
            [account]: expects({ allowBlobPublicAccess: [false] }),
            "azure-native:storage:BlobContainer": expects({ publicAccess: ["None"] }),
        }),
    },
    {
        name: "storage-no-shared-keys",
        description: "Accounts of player data take Entra identities alone: a key opens all of an account, for whoever has it.",
        check: checks({ [account]: (resource) => (isRuntime(resource) ? [] : expects({ allowSharedKeyAccess: [false] })(resource)) }),
    },
    {
        name: "storage-tls",
        description: "Storage accounts are reached over TLS 1.2 or later alone.",
        check: checks({ [account]: expects({ minimumTlsVersion: ["TLS1_2", "TLS1_3"], enableHttpsTrafficOnly: [true] }) }),
    },
    {
        name: "storage-soft-delete",
        description: "Deleted blobs and containers can be had back for a week at least.",
        checkStack: (resources) =>
            resources.filter(({ type }) => type === account).flatMap((resource) => {
                const service = blobServiceOf(resource, resources);
                const missing = ["deleteRetentionPolicy", "containerDeleteRetentionPolicy"].filter((policy) => !keeps(at(service?.props, policy)));
                return missing.map((policy) => ({
                    resource,
                    fault: `${policy} does not keep what was deleted: set it to enabled and ${fewestDays} days or more in BlobServiceProperties of the account`,
                }));
            }),
    },
    {
        name: "storage-versioning",
        description: "Overwritten player data can be had back.",
        checkStack: (resources) =>
            resources
                .filter((each) => each.type === account && !isRuntime(each) && at(blobServiceOf(each, resources)?.props, "isVersioningEnabled") !== true)
                .map((resource) => ({ resource, fault: "blobs have no versions: set isVersioningEnabled to true in BlobServiceProperties of the account" })),
    },
];

function keeps(policy: unknown): boolean {
    return at(policy, "enabled") === true && Number(at(policy, "days") ?? 0) >= fewestDays;
}
