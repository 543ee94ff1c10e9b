import { at, checks, expects, isWithin, type Rule, type RuleResource } from "../rule";

const accountType = "azure-native:storage:StorageAccount";
const blobService = "azure-native:storage:BlobServiceProperties";

/** Fewest days in which a deleted blob can be had back. */
const fewestDays = 7;

/**
 * Whether a resource is of the account of deployment packages, the host's state and Azure ML's assets. It holds no player data, its keys
 * are used by Pulumi's uploads, and what is overwritten in it is made again from the sources.
 */
function isRuntime(resource: RuleResource): boolean {
    return isWithin(resource, "player-predictions:runtime:Runtime");
}

export const storageRules: readonly Rule[] = [
    {
        name: "storage-no-public-access",
        description: "Nothing in a storage account is readable without signing in.",
        check: checks({
            [accountType]: expects({ allowBlobPublicAccess: [false] }),
            "azure-native:storage:BlobContainer": expects({ publicAccess: ["None"] }),
        }),
    },
    {
        name: "storage-no-shared-keys",
        description: "Accounts of player data take Entra identities alone: a key opens all of an account, for whoever has it.",
        check: checks({ [accountType]: (resource) => (isRuntime(resource) ? [] : expects({ allowSharedKeyAccess: [false] })(resource)) }),
    },
    {
        name: "storage-tls",
        description: "Storage accounts are reached over TLS 1.2 or later alone.",
        check: checks({ [accountType]: expects({ minimumTlsVersion: ["TLS1_2", "TLS1_3"], enableHttpsTrafficOnly: [true] }) }),
    },
    {
        name: "storage-blob-settings",
        description: "Each storage account states how its blobs can be had back.",
        checkStack: (resources) =>
            resources
                .filter(
                    (account) =>
                        account.type === accountType &&
                        !resources.some((each) => each.type === blobService && each.comesFrom("accountName", account)),
                )
                .map((resource) => ({
                    resource,
                    fault: "nothing says that deleted blobs are kept: add BlobServiceProperties of the account",
                })),
    },
    {
        name: "storage-soft-delete",
        description: "Deleted blobs and containers can be had back for a week at least.",
        check: checks({
            [blobService]: ({ props }) =>
                ["deleteRetentionPolicy", "containerDeleteRetentionPolicy"]
                    .filter((policy) => at(props, `${policy}.enabled`) !== true || Number(at(props, `${policy}.days`) ?? 0) < fewestDays)
                    .map((policy) => `${policy} does not keep what was deleted: set enabled to true and days to ${fewestDays} or more`),
        }),
    },
    {
        name: "storage-versioning",
        description: "Overwritten player data can be had back.",
        check: checks({ [blobService]: (resource) => (isRuntime(resource) ? [] : expects({ isVersioningEnabled: [true] })(resource)) }),
    },
];
