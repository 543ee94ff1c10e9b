/** Built-in roles by their ids: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
export const roles = {
    storageBlobDataOwner: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    storageBlobDataContributor: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    storageBlobDataReader: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    storageQueueDataContributor: "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    storageQueueDataMessageProcessor: "8a0f0c08-91a1-4084-bc3d-661d67233fed",
    storageQueueDataMessageSender: "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    storageQueueDataReader: "19e7f393-937e-4f77-808e-94535e297925",
    storageTableDataContributor: "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    monitoringMetricsPublisher: "3913510d-42f4-4e42-8a64-420c390055eb",
    keyVaultSecretsUser: "4633458b-17de-408a-b874-0445c86b69e6",
    acrPull: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    azureMlDataScientist: "f6c7c914-8db3-469d-8ca1-694a8f32e121",
    azureMlMetricsWriter: "635dd51f-9968-44d3-b7fb-6d9a6bd613ae",
} as const;

/** Roles over everything, or over all roles, which the program gives to nobody: from the same list. */
export const broadRoles: Readonly<Record<string, string>> = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
};
