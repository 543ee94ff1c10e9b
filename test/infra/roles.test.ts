import { describe, expect, it } from "vitest";
import { modelVersion, record, subscription, type Recording } from "./recording";

const roleNames: Record<string, string> = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "8a0f0c08-91a1-4084-bc3d-661d67233fed": "Storage Queue Data Message Processor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "19e7f393-937e-4f77-808e-94535e297925": "Storage Queue Data Reader",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": "AzureML Data Scientist",
    "635dd51f-9968-44d3-b7fb-6d9a6bd613ae": "AzureML Metrics Writer",
};

function assignments(recording: Recording): string[] {
    return recording
        .all("azure-native:authorization:RoleAssignment")
        .map(({ inputs }) => {
            const role = String(inputs.roleDefinitionId).split("/").at(-1) ?? "";
            const scope = String(inputs.scope).replace(`${subscription}/resourceGroups/rg/providers/`, "");
            return `${String(inputs.principalId).replace("principal-of-players-", "")}: ${roleNames[role] ?? role} on ${scope}`;
        })
        .sort();
}

const recorded = record();

describe("role assignments", () => {
    it("are exactly these, each on what it is needed for", async () => {
        expect(assignments(await recorded)).toEqual([
            "handlers: AzureML Data Scientist on machinelearningservices/Workspace/players-ml-workspace",
            "handlers: Monitoring Metrics Publisher on applicationinsights/Component/players-monitoring-insights",
            "handlers: Storage Blob Data Contributor on storage/BlobContainer/batches",
            "handlers: Storage Blob Data Contributor on storage/BlobContainer/comparisons",
            "handlers: Storage Blob Data Contributor on storage/BlobContainer/logs",
            "handlers: Storage Blob Data Contributor on storage/BlobContainer/predictions",
            "handlers: Storage Blob Data Contributor on storage/BlobContainer/requests",
            "handlers: Storage Blob Data Contributor on storage/BlobContainer/runs",
            "handlers: Storage Blob Data Owner on storage/StorageAccount/playersruntime",
            "handlers: Storage Queue Data Contributor on storage/Queue/folders-ready-poison",
            "handlers: Storage Queue Data Contributor on storage/Queue/jobs-changed-poison",
            "handlers: Storage Queue Data Contributor on storage/Queue/predictions-ready-poison",
            "handlers: Storage Queue Data Message Processor on storage/Queue/folders-ready",
            "handlers: Storage Queue Data Message Processor on storage/Queue/jobs-changed",
            "handlers: Storage Queue Data Message Processor on storage/Queue/predictions-ready",
            "handlers: Storage Queue Data Message Sender on storage/Queue/folders-ready",
            "handlers: Storage Queue Data Message Sender on storage/Queue/predictions-ready",
            "handlers: Storage Queue Data Reader on storage/Queue/folders-ready",
            "handlers: Storage Queue Data Reader on storage/Queue/jobs-changed",
            "handlers: Storage Queue Data Reader on storage/Queue/predictions-ready",
            "handlers: Storage Table Data Contributor on storage/StorageAccount/playersruntime",
            "lake-events-topic: Storage Blob Data Contributor on storage/BlobContainer/dead-letters",
            "lake-events-topic: Storage Queue Data Message Sender on storage/Queue/folders-ready",
            "lake-events-topic: Storage Queue Data Message Sender on storage/Queue/predictions-ready",
            "ml-batch-identity: AcrPull on containerregistry/Registry/playersmlregistry",
            "ml-batch-identity: Storage Blob Data Contributor on storage/BlobContainer/azureml",
            "ml-batch-identity: Storage Blob Data Contributor on storage/BlobContainer/predictions",
            "ml-batch-identity: Storage Blob Data Contributor on storage/StorageAccount/playersruntime/blobServices/default/containers/azureml-blobstore-workspace-guid",
            "ml-batch-identity: Storage Blob Data Reader on storage/BlobContainer/assets",
            "ml-batch-identity: Storage Blob Data Reader on storage/BlobContainer/logs",
            "ml-events-topic: Storage Blob Data Contributor on storage/BlobContainer/dead-letters",
            "ml-events-topic: Storage Queue Data Message Sender on storage/Queue/jobs-changed",
            "ml-online-identity: AcrPull on containerregistry/Registry/playersmlregistry",
            "ml-online-identity: AzureML Metrics Writer on machinelearningservices/Workspace/players-ml-workspace",
            "ml-online-identity: Storage Blob Data Reader on storage/BlobContainer/assets",
        ]);
    });

    it("add the one secret where there is a password", async () => {
        const withPassword = assignments(await record({ config: { databaseAuth: "password", databasePassword: "secret" } }));
        const without = assignments(await recorded);
        expect(withPassword.filter((each) => !without.includes(each))).toEqual(["handlers: Key Vault Secrets User on keyvault/Secret/players-db-secret"]);
    });

    it("are named by what they are: a GUID of their own each, the same at every run", async () => {
        const names = (recording: Recording) =>
            recording.all("azure-native:authorization:RoleAssignment").map(({ name, inputs }) => `${name} ${String(inputs.roleAssignmentName)}`).sort();
        const first = names(await recorded);
        expect(names(await record())).toEqual(first);
        const guids = first.map((each) => each.split(" ")[1] ?? "");
        expect(new Set(guids).size).toBe(guids.length);
        expect(guids.every((guid) => /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/.test(guid))).toBe(true);
    });

    it("state the built-in role, known in a preview, and the kind of principal", async () => {
        for (const { inputs } of (await record({ preview: true })).all("azure-native:authorization:RoleAssignment")) {
            expect(inputs.principalType).toBe("ServicePrincipal");
            expect(inputs.roleDefinitionId).toMatch(new RegExp(`^/providers/Microsoft.Authorization/roleDefinitions/[0-9a-f-]{36}$`));
        }
    });

    it("of the topic and of the endpoints are there before what tries them", async () => {
        const { get } = await record({ slow: (type) => type.endsWith("RoleAssignment") });
        const subscriptions = ["folders-ready", "predictions-ready"];
        for (const queue of subscriptions) {
            const { after } = get("azure-native:eventgrid:SystemTopicEventSubscription", `players-lake-events-${queue}`);
            expect(after).toContain(`players-lake-events-${queue}-role`);
            expect(after).toContain("players-lake-events-dead-letters-role");
        }
        const { after } = get("azure-native:machinelearningservices:OnlineDeployment", `players-ml-online-deployment-${modelVersion}`);
        expect(after).toContain("players-ml-online-assets-role");
        expect(after).toContain("players-ml-online-images-role");
    });
});
