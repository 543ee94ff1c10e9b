import { resource, type Cases, type Surroundings } from "./case";

const account = (props: Record<string, unknown>, surroundings?: Surroundings) => resource("azure-native:storage:StorageAccount", props, surroundings);
const lake = account({}, { within: ["player-predictions:lake:Lake"] });
const runtime = account({}, { within: ["player-predictions:runtime:Runtime"] });
const blobs = (props: Record<string, unknown>, of = lake) =>
    resource("azure-native:storage:BlobServiceProperties", props, { within: of === runtime ? ["player-predictions:runtime:Runtime"] : ["player-predictions:lake:Lake"], sources: { accountName: of } });
const kept = { enabled: true, days: 7 };

export const storageCases: Cases = {
    "storage-no-public-access": {
        good: [account({ allowBlobPublicAccess: false }), resource("azure-native:storage:BlobContainer", { publicAccess: "None" })],
        bad: [
            { what: account({}), faults: ["allowBlobPublicAccess is not set: set it to false"] },
            { what: account({ allowBlobPublicAccess: true }), faults: ["allowBlobPublicAccess is true: set it to false"] },
            {
                what: resource("azure-native:storage/v20240101:BlobContainer", { publicAccess: "Blob" }),
                faults: ['publicAccess is "Blob": set it to "None"'],
            },
        ],
    },
    "storage-no-shared-keys": {
        good: [account({ allowSharedKeyAccess: false }), runtime],
        bad: [
            { what: account({ allowSharedKeyAccess: true }), faults: ["allowSharedKeyAccess is true: set it to false"] },
            { what: lake, faults: ["allowSharedKeyAccess is not set: set it to false"] },
        ],
    },
    "storage-tls": {
        good: [account({ minimumTlsVersion: "TLS1_2", enableHttpsTrafficOnly: true })],
        bad: [
            {
                what: account({ minimumTlsVersion: "TLS1_0", enableHttpsTrafficOnly: false }),
                faults: [
                    'minimumTlsVersion is "TLS1_0": set it to "TLS1_2" or "TLS1_3"',
                    "enableHttpsTrafficOnly is false: set it to true",
                ],
            },
        ],
    },
    "storage-soft-delete": {
        good: [[lake, blobs({ deleteRetentionPolicy: kept, containerDeleteRetentionPolicy: { enabled: true, days: 30 } })]],
        bad: [
            {
                what: [lake, blobs({ deleteRetentionPolicy: { enabled: true, days: 1 } })],
                faults: [
                    "deleteRetentionPolicy does not keep what was deleted: set it to enabled and 7 days or more in BlobServiceProperties of the account",
                    "containerDeleteRetentionPolicy does not keep what was deleted: set it to enabled and 7 days or more in BlobServiceProperties of the account",
                ],
            },
            {
                what: [runtime, lake, blobs({ deleteRetentionPolicy: kept, containerDeleteRetentionPolicy: kept }), blobs({ containerDeleteRetentionPolicy: kept }, runtime)],
                faults: ["deleteRetentionPolicy does not keep what was deleted: set it to enabled and 7 days or more in BlobServiceProperties of the account"],
            },
        ],
    },
    "storage-versioning": {
        good: [[lake, blobs({ isVersioningEnabled: true })], runtime],
        bad: [
            { what: lake, faults: ["blobs have no versions: set isVersioningEnabled to true in BlobServiceProperties of the account"] },
            {
                what: [lake, runtime, blobs({ isVersioningEnabled: true }, runtime)],
                faults: ["blobs have no versions: set isVersioningEnabled to true in BlobServiceProperties of the account"],
            },
        ],
    },
};
