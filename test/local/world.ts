import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TokenCredential } from "@azure/identity";
import type * as pulumi from "@pulumi/pulumi";
import { AccessControl } from "../../local/cloud/access";
import { IdentityService } from "../../local/cloud/identities";
import { ModelService } from "../../local/cloud/models/service";
import type { CloudService, Identified, Inputs, Outputs } from "../../local/cloud/resource-type";
import { Secrets } from "../../local/cloud/secrets";
import { StorageService } from "../../local/cloud/storage/service";
import { startIdentity, type IdentityPart } from "../../local/parts/identity";
import { openWorkshop, type Workshop } from "../../local/parts/workshop";

export const roleIds = {
    blobContributor: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    blobReader: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    queueSender: "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    dataScientist: "f6c7c914-8db3-469d-8ca1-694a8f32e121",
} as const;

/** A resource as the program gets it back. */
export type Registered = Identified & Outputs;

/** The part of the local cloud that holds data and runs models, with nothing registered yet. */
export class World {
    private constructor(
        readonly dir: string,
        readonly workshop: Workshop,
        readonly identity: IdentityPart,
        readonly storage: StorageService,
        readonly models: ModelService,
        private readonly services: readonly CloudService[],
    ) {}

    static async start(): Promise<World> {
        const dir = mkdtempSync(path.join(tmpdir(), "local-cloud-"));
        const workshop = await openWorkshop(dir);
        const identity = await startIdentity(workshop);
        const access = new AccessControl();
        const identities = new IdentityService(identity);
        const storage = new StorageService(workshop, new Secrets(dir), identity, access);
        const models = await ModelService.start(workshop, identity, access, identities, storage);
        return new World(dir, workshop, identity, storage, models, [access, identities, storage, storage.events, models]);
    }

    async stop(): Promise<void> {
        await this.workshop.stop();
        rmSync(this.dir, { recursive: true, force: true });
    }

    /** Registers a resource of azure-native as the program would. */
    async register(type: string, name: string, inputs: Inputs): Promise<Registered> {
        const token = `azure-native:${type}`;
        const resourceType = this.services.map(({ types }) => types[token]).find((each) => each !== undefined);
        if (resourceType === undefined) {
            throw new Error(`no ${type}`);
        }
        const registration = { type: token, name, inputs: { resourceGroupName: "group", ...inputs } };
        const identified = resourceType.identify(registration);
        return { ...identified, ...(await resourceType.create(registration, identified)) };
    }

    identityNamed(name: string): Promise<Registered> {
        return this.register("managedidentity:UserAssignedIdentity", name, { resourceName: name });
    }

    async assign(principal: Registered, role: string, scope: string): Promise<void> {
        await this.register("authorization:RoleAssignment", `${principal.name}-${role}`, {
            roleAssignmentName: `${principal.name}-${role}-${scope.length}`,
            principalId: principal.principalId,
            roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${role}`,
            scope,
        });
    }

    credentialOf(principal: Registered, audience = "https://storage.azure.com"): TokenCredential {
        return {
            getToken: async () => ({ token: await this.identity.issue(String(principal.clientId), audience), expiresOnTimestamp: Date.now() + 3_600_000 }),
        };
    }

    /** An account with these containers, reached under Entra identities alone. */
    async account(accountName: string, ...containers: readonly string[]): Promise<Registered> {
        const account = await this.register("storage:StorageAccount", accountName, { accountName, allowSharedKeyAccess: false });
        for (const containerName of containers) {
            await this.register("storage:BlobContainer", containerName, { accountName, containerName });
        }
        return account;
    }

    /** Workspace `ml` with the account `runtime` of its assets, and datastores over these containers of the lake. */
    async workspace(...lakeContainers: readonly string[]): Promise<Registered> {
        await this.account("runtime", "assets");
        const workspace = await this.register("machinelearningservices:Workspace", "ml", { workspaceName: "ml" });
        for (const [accountName, containerName] of [["runtime", "assets"], ...lakeContainers.map((each) => ["lake", each] as const)] as const) {
            await this.register("machinelearningservices:Datastore", containerName, { workspaceName: "ml", name: containerName, properties: { accountName, containerName } });
        }
        return workspace;
    }

    /** Uploads assets, by their names in the container `assets`. */
    async upload(assets: Readonly<Record<string, pulumi.asset.Asset>>): Promise<void> {
        for (const [blobName, source] of Object.entries(assets)) {
            await this.register("storage:Blob", blobName, { accountName: "runtime", containerName: "assets", blobName, source });
        }
    }

    /** A code version over an uploaded folder. @returns its id */
    async code(folder: string): Promise<string> {
        const codeUri = `${this.storage.byName("runtime").blobEndpoint}/assets/${folder}`;
        return (await this.register("machinelearningservices:CodeVersion", "code", { workspaceName: "ml", version: "1", name: "code", properties: { codeUri } })).id;
    }

    /** Cluster `scoring` under this identity. */
    cluster(identity: Registered): Promise<Registered> {
        return this.register("machinelearningservices:Compute", "scoring", {
            workspaceName: "ml",
            computeName: "scoring",
            identity: { userAssignedIdentities: [identity.id] },
        });
    }
}
