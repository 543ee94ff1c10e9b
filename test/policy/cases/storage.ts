import { resource, type Cases, type Surroundings } from "./case";

const account = (props: Record<string, unknown>, surroundings?: Surroundings) =>
    resource("azure-native:storage:StorageAccount", props, surroundings);
const lake = account({}, { within: ["player-predictions:lake:Lake"] });
const runtime = account({}, { within: ["player-predictions:runtime:Runtime"] });
const blobs = (props: Record<string, unknown>, of = lake) =>
    resource("azure-native:storage:BlobServiceProperties", props, {
        within: of === runtime ? ["player-predictions:runtime:Runtime"] : ["player-predictions:lake:Lake"],
        sources: { accountName: of },
    });
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
    "storage-blob-settings": {
        good: [
            [lake, blobs({})],
            [runtime, lake, blobs({}), blobs({}, runtime)],
        ],
        bad: [
            { what: lake, faults: ["nothing says that deleted blobs are kept: add BlobServiceProperties of the account"] },
            {
                what: [lake, runtime, blobs({}, runtime)],
                faults: ["nothing says that deleted blobs are kept: add BlobServiceProperties of the account"],
            },
        ],
    },
    "storage-soft-delete": {
        good: [blobs({ deleteRetentionPolicy: kept, containerDeleteRetentionPolicy: { enabled: true, days: 30 } })],
        bad: [
            {
                what: blobs({ deleteRetentionPolicy: { enabled: true, days: 1 } }),
                faults: [
                    "deleteRetentionPolicy does not keep what was deleted: set enabled to true and days to 7 or more",
                    "containerDeleteRetentionPolicy does not keep what was deleted: set enabled to true and days to 7 or more",
                ],
            },
            {
                what: blobs({ deleteRetentionPolicy: { enabled: false, days: 7 }, containerDeleteRetentionPolicy: kept }),
                faults: ["deleteRetentionPolicy does not keep what was deleted: set enabled to true and days to 7 or more"],
            },
        ],
    },
    "storage-versioning": {
        good: [blobs({ isVersioningEnabled: true }), blobs({}, runtime)],
        bad: [
            { what: blobs({}), faults: ["isVersioningEnabled is not set: set it to true"] },
            { what: blobs({ isVersioningEnabled: false }), faults: ["isVersioningEnabled is false: set it to true"] },
        ],
    },
};
