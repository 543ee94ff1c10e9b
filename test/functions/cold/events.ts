/** A BlobCreated event as it is in the queue, decoded. */
export function eventOf(container: string, path: string, etag: string) {
    return {
        topic: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake",
        subject: `/blobServices/default/containers/${container}/blobs/${path}`,
        eventType: "Microsoft.Storage.BlobCreated",
        id: "00000000-0000-0000-0000-000000000000",
        data: {
            api: "PutBlob",
            eTag: etag,
            contentType: "application/octet-stream",
            contentLength: 0,
            blobType: "BlockBlob",
            url: `https://lake.blob.core.windows.net/${container}/encoded`,
        },
        dataVersion: "",
        metadataVersion: "1",
        eventTime: "2026-01-31T12:00:00.000Z",
    };
}
