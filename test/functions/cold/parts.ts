import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { createIdentityCredential } from "../../../functions/clients/credentials";
import { createLake, type Lake } from "../../../functions/clients/lake";
import { containers } from "../../../functions/contracts";
import { inParallel } from "../../../functions/in-parallel";
import { type AzuritePart, startAzurite } from "../../../local/parts/azurite";
import { type IdentityPart, startIdentity } from "../../../local/parts/identity";
import { openWorkshop, type Workshop } from "../../../local/parts/workshop";

export const clientId = "3f1e4b6a-7c1d-4a5e-9a63-0d2f5a1b7c01";
const principalId = "9b0c7d52-2f1e-4d7c-8e4a-6a5b4c3d2e02";

/** A workshop with the handlers' identity and a lake that takes its tokens. */
export interface ColdParts {
    readonly workshop: Workshop;
    readonly identity: IdentityPart;
    readonly principalId: string;
    readonly credential: TokenCredential;
    readonly account: AzuritePart;
    readonly lake: Lake;
    /** The lake's containers past the client that is tested. */
    container(name: string): ContainerClient;
    /** Text of every blob of a container by its name. */
    contents(container: string): Promise<Record<string, string>>;
    /** Empties every container. */
    clear(): Promise<void>;
    stop(): Promise<void>;
}

export async function startColdParts(): Promise<ColdParts> {
    const dir = await mkdtemp(join(tmpdir(), "cold-path-"));
    const workshop = await openWorkshop(dir);
    const stop = async () => {
        await workshop.stop();
        await rm(dir, { recursive: true, force: true });
    };
    try {
        return { ...(await startLake(workshop)), workshop, principalId, stop };
    } catch (error) {
        await stop();
        throw error;
    }
}

async function startLake(workshop: Workshop): Promise<Omit<ColdParts, "workshop" | "principalId" | "stop">> {
    const [account, identity] = await Promise.all([
        startAzurite(workshop, { account: "lake", key: Buffer.from("a key for tests").toString("base64") }),
        startIdentity(workshop),
    ]);
    identity.addIdentity({ clientId, principalId });
    process.env["IDENTITY_ENDPOINT"] = identity.endpoint;
    process.env["IDENTITY_HEADER"] = identity.header;
    const credential = createIdentityCredential({ AZURE_CLIENT_ID: clientId });
    const service = new BlobServiceClient(account.blobEndpoint, credential);
    const container = (name: string): ContainerClient => service.getContainerClient(name);
    await Promise.all(Object.values(containers).map((name) => container(name).create()));

    return {
        identity,
        credential,
        account,
        lake: createLake({ Lake__blobServiceUri: account.blobEndpoint }, credential),
        container,
        async contents(name) {
            const found: Record<string, string> = {};
            for await (const blob of container(name).listBlobsFlat()) {
                found[blob.name] = (await container(name).getBlobClient(blob.name).downloadToBuffer()).toString("utf8");
            }
            return found;
        },
        async clear() {
            for (const name of Object.values(containers)) {
                const blobs: string[] = [];
                for await (const blob of container(name).listBlobsFlat()) {
                    blobs.push(blob.name);
                }
                // Each call more at a time takes a connection of its own.
                await inParallel(blobs, 16, async (blob) => void (await container(name).deleteBlob(blob)));
            }
        },
    };
}
