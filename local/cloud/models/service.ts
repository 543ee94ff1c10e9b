import { rmSync } from "node:fs";
import path from "node:path";
import type { IdentityPart } from "../../parts/identity";
import type { Workshop } from "../../parts/workshop";
import type { AccessControl } from "../access";
import { guidOf } from "../ids";
import type { IdentityService } from "../identities";
import { armResource, type CloudService, type Identified, type Registration } from "../resource-type";
import type { StorageService } from "../storage/service";
import { ModelAssets } from "./assets";
import { BatchEndpoints } from "./batch";
import { Computes } from "./computes";
import { OnlineEndpoints } from "./online";
import { WorkspaceJobs } from "./workspace-jobs";

/** Azure ML: a workspace's assets, its online endpoints, its batch endpoints and its jobs. */
export class ModelService implements CloudService {
    readonly types: CloudService["types"];

    private constructor(
        workshop: Workshop,
        identity: IdentityPart,
        access: AccessControl,
        storage: StorageService,
        assets: ModelAssets,
        computes: Computes,
        /** Azure Resource Manager's address for the workspace's jobs, without a slash at its end. */
        readonly managementEndpoint: string,
    ) {
        this.types = {
            "azure-native:machinelearningservices:Workspace": {
                identify: armResource("Microsoft.MachineLearningServices/workspaces", "workspaceName"),
                create: (_registration: Registration, { id }: Identified) => ({ workspaceId: guidOf(id) }),
                remove: () => rmSync(assetsDir(workshop), { recursive: true, force: true }),
            },
            ...assets.types,
            ...computes.types,
            ...new OnlineEndpoints(workshop, identity, access, assets).types,
            ...new BatchEndpoints(workshop, identity, access, computes, storage, assets).types,
        };
    }

    static async start(
        workshop: Workshop,
        identity: IdentityPart,
        access: AccessControl,
        identities: IdentityService,
        storage: StorageService,
    ): Promise<ModelService> {
        const assets = new ModelAssets(storage, assetsDir(workshop));
        const computes = new Computes(identity, identities, storage);
        const managementEndpoint = await WorkspaceJobs.start(workshop, identity, access, computes, storage, assets);
        return new ModelService(workshop, identity, access, storage, assets, computes, managementEndpoint);
    }
}

function assetsDir({ dir }: Workshop): string {
    return path.join(dir, "assets");
}
