import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import type { IdentityPart } from "../../parts/identity";
import type { IdentityService, LocalIdentity } from "../identities";
import { armResource, type CloudService, type Identified, type Registration } from "../resource-type";
import type { StorageService } from "../storage/service";
import type { BlobFolder } from "./blob-folder";

const inputs = z.object({ identity: z.object({ userAssignedIdentities: z.array(z.string()).min(1) }) });

/** Compute clusters: jobs run on this machine, each under its cluster's identity. */
export class Computes implements CloudService {
    readonly #computes = new Map<string, LocalIdentity>();

    constructor(
        private readonly identity: IdentityPart,
        private readonly identities: IdentityService,
        private readonly storage: StorageService,
    ) {}

    readonly types = {
        "azure-native:machinelearningservices:Compute": {
            identify: armResource("Microsoft.MachineLearningServices/workspaces/computes", "workspaceName", "computeName"),
            create: (registration: Registration, { id }: Identified) => {
                const [identityId] = inputs.parse(registration.inputs).identity.userAssignedIdentities;
                this.#computes.set(id, this.identities.byId(identityId ?? ""));
                return {};
            },
            remove: (_registration: Registration, { id }: Identified) => void this.#computes.delete(id),
        },
    };

    /** The identity of the cluster with this ARM id; undefined when there is no such cluster. */
    identityOf(computeId: string): LocalIdentity | undefined {
        return this.#computes.get(computeId);
    }

    /** A folder of the lake as a cluster's identity sees it: a role that it lacks fails the job here as it does in Azure. */
    folder(computeId: string, accountName: string, containerName: string, prefix: string): BlobFolder {
        const client = new BlobServiceClient(this.storage.byName(accountName).blobEndpoint, this.#credentialOf(computeId));
        return { container: client.getContainerClient(containerName), prefix };
    }

    #credentialOf(computeId: string): TokenCredential {
        return {
            getToken: async () => ({
                token: await this.identity.issue(this.#computes.get(computeId)?.clientId ?? "", "https://storage.azure.com"),
                expiresOnTimestamp: Date.now() + 1000 * this.identity.tokenLifetimeSeconds,
            }),
        };
    }
}
