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
import { OnlineEndpoints } from "./online";

/** Azure ML: a workspace's assets, its online endpoints and its batch endpoints. */
export class ModelService implements CloudService {
    readonly types: CloudService["types"];

    constructor(workshop: Workshop, identity: IdentityPart, access: AccessControl, identities: IdentityService, storage: StorageService) {
        const assetsDir = path.join(workshop.dir, "assets");
        const assets = new ModelAssets(storage, assetsDir);
        this.types = {
            "azure-native:machinelearningservices:Workspace": {
                identify: armResource("Microsoft.MachineLearningServices/workspaces", "workspaceName"),
                create: (_registration: Registration, { id }: Identified) => ({ workspaceId: guidOf(id) }),
                remove: () => rmSync(assetsDir, { recursive: true, force: true }),
            },
            ...assets.types,
            ...new OnlineEndpoints(workshop, identity, access, assets).types,
            ...new BatchEndpoints(workshop, identity, access, identities, storage, assets).types,
        };
    }
}
