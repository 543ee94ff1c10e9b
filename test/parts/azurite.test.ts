import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ManagedIdentityCredential, type TokenCredential } from "@azure/identity";
import { AnonymousCredential, BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { QueueServiceClient } from "@azure/storage-queue";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startAzurite, type AzuritePart } from "../../local/parts/azurite";
import { startIdentity, type IdentityPart } from "../../local/parts/identity";
import { openWorkshop, type Workshop } from "../../local/parts/workshop";

const identity = { clientId: "aaaaaaaa-0000-0000-0000-000000000002", principalId: "bbbbbbbb-0000-0000-0000-000000000002" };
const account = { account: "lake0account", key: Buffer.from("key of the account").toString("base64") };
const dir = mkdtempSync(path.join(tmpdir(), "player-predictions-parts-"));
const noRetry = { retryOptions: { maxTries: 1 } };
let workshop: Workshop;
let entra: IdentityPart;
let part: AzuritePart;
/** Audiences of the tokens that were asked for. */
const asked: string[] = [];

// One identity part a process: MSAL keeps the first endpoint that it finds.
beforeAll(async () => {
    workshop = await openWorkshop(dir);
    entra = await startIdentity(workshop);
    entra.addIdentity(identity);
    entra.onIssue(({ audience }) => Promise.resolve(void asked.push(audience)));
    vi.stubEnv("IDENTITY_ENDPOINT", entra.endpoint);
    vi.stubEnv("IDENTITY_HEADER", entra.header);
    part = await startAzurite(workshop, account);
});

afterAll(async () => {
    await workshop.stop();
    rmSync(dir, { recursive: true });
});

test("takes the managed identity's token for blobs and queues", async () => {
    const credential = new ManagedIdentityCredential({ clientId: identity.clientId });
    const container = new BlobServiceClient(part.blobEndpoint, credential).getContainerClient("logs");
    await container.create();
    await container.getBlockBlobClient("dt=2026-01-01/part-0000.csv").upload("idx\n", 4);
    expect((await container.getBlobClient("dt=2026-01-01/part-0000.csv").downloadToBuffer()).toString()).toBe("idx\n");

    const queue = new QueueServiceClient(part.queueEndpoint, credential).getQueueClient("folders-ready");
    await queue.create();
    await queue.sendMessage("message");
    expect((await queue.receiveMessages()).receivedMessageItems.map(({ messageText }) => messageText)).toEqual(["message"]);
    expect(asked).toEqual(["https://storage.azure.com"]);
});

test("refuses whoever has no token, one for another service, or another key", async () => {
    const list = async (credential: AnonymousCredential | StorageSharedKeyCredential | TokenCredential): Promise<unknown> =>
        new BlobServiceClient(part.blobEndpoint, credential, noRetry).getProperties();
    const tokenFor = (audience: string, lifetimeSeconds?: number): TokenCredential => ({
        getToken: async () => ({
            token: await entra.issue(identity.clientId, audience, lifetimeSeconds),
            expiresOnTimestamp: Date.now() + 3_600_000,
        }),
    });
    await expect(list(new AnonymousCredential())).rejects.toMatchObject({ statusCode: 403 });
    await expect(list(tokenFor("https://redis.azure.com"))).rejects.toMatchObject({ statusCode: 403 });
    await expect(list(tokenFor("https://storage.azure.com", -60))).rejects.toMatchObject({ statusCode: 403 });
    const otherKey = new StorageSharedKeyCredential(account.account, Buffer.from("other").toString("base64"));
    await expect(list(otherKey)).rejects.toMatchObject({ code: "InvalidAuthenticationInfo" });
    await expect(fetch(part.blobEndpoint.replace("https:", "http:"))).rejects.toThrow();
});

test("with a lifetime of seconds each call gets a token of its own; with hours, one from the cache", async () => {
    const credential = new ManagedIdentityCredential({ clientId: identity.clientId });
    const distinct = async (audience: string): Promise<number> => {
        const tokens = await Promise.all([1, 2, 3].map(async () => (await credential.getToken(`${audience}/.default`)).token));
        return new Set([...tokens, (await credential.getToken(`${audience}/.default`)).token]).size;
    };
    entra.tokenLifetimeSeconds = 5;
    expect(await distinct("https://short.example")).toBe(4);
    entra.tokenLifetimeSeconds = 86_400;
    await credential.getToken("https://long.example/.default");
    expect(await distinct("https://long.example")).toBe(1);
});

test("works with tokens that live for seconds", async () => {
    entra.tokenLifetimeSeconds = 5;
    const credential = new ManagedIdentityCredential({ clientId: identity.clientId, retryOptions: { maxRetries: 0 } });
    const other = await startAzurite(workshop, { ...account, account: "other0account" });
    const container = new BlobServiceClient(other.blobEndpoint, credential, noRetry).getContainerClient("logs");
    await container.create();
    expect(await container.exists()).toBe(true);
});

test("what it holds is there after a restart, at the same address", async () => {
    await part.process.stop();
    const again = await startAzurite(workshop, account);
    expect(again.blobEndpoint).toBe(part.blobEndpoint);
    const container = new BlobServiceClient(again.blobEndpoint, new StorageSharedKeyCredential(account.account, account.key)).getContainerClient("logs");
    expect((await container.getBlobClient("dt=2026-01-01/part-0000.csv").downloadToBuffer()).toString()).toBe("idx\n");
});
