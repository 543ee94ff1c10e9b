import { describe, expect, it } from "vitest";
import { group, idOf, inLake, inputsOf, inRuntime } from "./expected";
import { record } from "./recording";

const recorded = record();

describe("storage", () => {
    it("keeps player data in an account without keys, and everything else in another", async () => {
        const both = { kind: "StorageV2", minimumTlsVersion: "TLS1_2", enableHttpsTrafficOnly: true, allowBlobPublicAccess: false };
        const lake = (await recorded).get("azure-native:storage:StorageAccount", "playerslake");
        const runtime = (await recorded).get("azure-native:storage:StorageAccount", "playersruntime");
        expect(lake.inputs).toMatchObject({ ...both, ...group, sku: { name: "Standard_LRS" }, allowSharedKeyAccess: false });
        expect(runtime.inputs).toMatchObject({ ...both, ...group, allowSharedKeyAccess: true });
    });

    it("can have the lake's blobs back for a month", async () => {
        const { inputs } = (await recorded).get("azure-native:storage:BlobServiceProperties", "players-lake-recovery");
        expect(inputs).toMatchObject({
            ...inLake,
            blobServicesName: "default",
            isVersioningEnabled: true,
            deleteRetentionPolicy: { enabled: true, days: 30 },
            containerDeleteRetentionPolicy: { enabled: true, days: 30 },
        });
    });

    it("keeps the old versions of the lake's blobs for as long, the states of batches for 400 days, and recorded requests for 30", async () => {
        const { inputs } = (await recorded).get("azure-native:storage:ManagementPolicy", "players-lake-lifecycle");
        expect(inputs).toMatchObject({
            ...inLake,
            managementPolicyName: "default",
            policy: {
                rules: [
                    { enabled: true, definition: { actions: { version: { delete: { daysAfterCreationGreaterThan: 30 } } }, filters: { blobTypes: ["blockBlob", "appendBlob"] } } },
                    {
                        enabled: true,
                        definition: {
                            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 400 } } },
                            filters: { blobTypes: ["blockBlob"], prefixMatch: ["batches/"] },
                        },
                    },
                    {
                        enabled: true,
                        definition: {
                            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } },
                            filters: { blobTypes: ["appendBlob"], prefixMatch: ["requests/", "comparisons/"] },
                        },
                    },
                ],
            },
        });
    });

    it("can have the deleted blobs of the runtime back for a week", async () => {
        const { inputs } = (await recorded).get("azure-native:storage:BlobServiceProperties", "players-runtime-recovery");
        expect(inputs).toEqual({
            ...inRuntime,
            blobServicesName: "default",
            deleteRetentionPolicy: { enabled: true, days: 7 },
            containerDeleteRetentionPolicy: { enabled: true, days: 7 },
        });
    });

    it("has the containers and queues that the handlers use", async () => {
        expect(inputsOf(await recorded, "azure-native:storage:BlobContainer", "accountName", "containerName")).toEqual([
            "playerslake/batches",
            "playerslake/comparisons",
            "playerslake/dead-letters",
            "playerslake/logs",
            "playerslake/models",
            "playerslake/predictions",
            "playerslake/requests",
            "playerslake/runs",
            "playersruntime/assets",
            "playersruntime/azureml",
            "playersruntime/deployed",
            "playersruntime/packages",
        ]);
        expect(inputsOf(await recorded, "azure-native:storage:Queue", "accountName", "queueName")).toEqual([
            "playerslake/folders-ready",
            "playerslake/folders-ready-poison",
            "playerslake/jobs-changed",
            "playerslake/jobs-changed-poison",
            "playerslake/predictions-ready",
            "playerslake/predictions-ready-poison",
        ]);
    });

    it("sends word of complete folders and files to their queues, under the topic's identity, with dead letters", async () => {
        const { inputs: topic } = (await recorded).get("azure-native:eventgrid:SystemTopic", "players-lake-events-topic");
        const accountId = idOf("storage/StorageAccount", "playerslake");
        expect(topic).toMatchObject({ source: accountId, topicType: "Microsoft.Storage.StorageAccounts", identity: { type: "SystemAssigned" } });
        const subscription = async (name: string) =>
            (await recorded).get("azure-native:eventgrid:SystemTopicEventSubscription", `players-lake-events-${name}`).inputs;
        const expected = (queueName: string, container: string, subjectEndsWith: string) => ({
            ...group,
            systemTopicName: "players-lake-events-topic",
            eventSubscriptionName: queueName,
            eventDeliverySchema: "EventGridSchema",
            deliveryWithResourceIdentity: {
                identity: { type: "SystemAssigned" },
                destination: { endpointType: "StorageQueue", resourceId: accountId, queueName, queueMessageTimeToLiveInSeconds: 604_800 },
            },
            deadLetterWithResourceIdentity: {
                identity: { type: "SystemAssigned" },
                deadLetterDestination: { endpointType: "StorageBlob", resourceId: accountId, blobContainerName: "dead-letters" },
            },
            retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
            filter: {
                includedEventTypes: ["Microsoft.Storage.BlobCreated"],
                subjectBeginsWith: `/blobServices/default/containers/${container}/`,
                subjectEndsWith,
                isSubjectCaseSensitive: true,
                advancedFilters: [{ operatorType: "StringIn", key: "data.api", values: ["PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose"] }],
            },
        });
        expect(await subscription("folders-ready")).toEqual(expected("folders-ready", "logs", "/_SUCCESS"));
        expect(await subscription("predictions-ready")).toEqual(expected("predictions-ready", "predictions", ".csv"));
    });
});

describe("the cache", () => {
    it("is Azure Managed Redis without access keys, open to the handlers' identity", async () => {
        const inCluster = { ...group, clusterName: "players-cache-cluster" };
        expect((await recorded).get("azure-native:redisenterprise:RedisEnterprise", "players-cache-cluster").inputs).toMatchObject({
            ...group,
            sku: { name: "Balanced_B0" },
            highAvailability: "Disabled",
            minimumTlsVersion: "1.2",
            publicNetworkAccess: "Enabled",
        });
        expect((await recorded).get("azure-native:redisenterprise:Database", "players-cache-database").inputs).toMatchObject({
            ...inCluster,
            databaseName: "default",
            clientProtocol: "Encrypted",
            port: 10_000,
            clusteringPolicy: "NoCluster",
            evictionPolicy: "VolatileLRU",
            accessKeysAuthentication: "Disabled",
        });
        expect((await recorded).get("azure-native:redisenterprise:AccessPolicyAssignment", "players-cache-access").inputs).toEqual({
            ...inCluster,
            databaseName: "default",
            accessPolicyAssignmentName: "handlers",
            accessPolicyName: "default",
            user: { objectId: "principal-of-players-handlers" },
        });
    });
});
