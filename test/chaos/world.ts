import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BlobServiceClient, type ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { StorageSharedKeyCredential as QueueKeyCredential } from "@azure/storage-queue";
import { containers } from "../../functions/contracts";
import { AccessControl } from "../../local/cloud/access";
import { startFront } from "../../local/cloud/storage/front";
import { startAzurite } from "../../local/parts/azurite";
import { startIdentity } from "../../local/parts/identity";
import { startMariaDb } from "../../local/parts/mariadb";
import { loopback } from "../../local/parts/ports";
import { startRedis } from "../../local/parts/redis";
import { openWorkshop, type Process, type Workshop } from "../../local/parts/workshop";
import { eventOf } from "../functions/cold/events";
import { hotAppSettings } from "../functions/hot/app-settings";
import { TcpProxy } from "../functions/hot/tcp-proxy";
import { BatchJobs } from "./batch-jobs";
import { type SentMessage, startQueues } from "./queues";
import { startSource, type Source } from "./source";
import { Stores } from "./stores";
import { startWorkers, type Workers } from "./workers";

/** A server that can be restarted under the same address, with what it holds. */
export type Server = "lake" | "cache" | "database" | "source" | "batch endpoint";
export const servers: readonly Server[] = ["lake", "cache", "database", "source", "batch endpoint"];

/** An event in a queue: what a handler is called with. */
export interface QueuedEvent {
    readonly container: string;
    readonly path: string;
    readonly message: unknown;
}

/** The cold path's whole surroundings on real servers, and the processes that work in them. */
export interface World {
    readonly workshop: Workshop;
    readonly workers: Workers;
    readonly stores: Stores;
    readonly source: Source;
    readonly jobs: BatchJobs;
    /** The lake's containers as an outside system writes to them: its writes raise events. */
    container(name: string): ContainerClient;
    /** Takes the events that writes raised since the last call, in their order. */
    takeEvents(): QueuedEvent[];
    /** Takes the messages that handlers sent since the last call, in their order. */
    takeMessages(): SentMessage[];
    /** Takes a server away, and brings it back when `meanwhile` has come to its end. */
    restart(server: Server, meanwhile?: () => Promise<void>): Promise<void>;
    /** Empties every store. */
    clear(): Promise<void>;
    stop(): Promise<void>;
}

const identity = { clientId: "3f1e4b6a-7c1d-4a5e-9a63-0d2f5a1b7c01", principalId: "9b0c7d52-2f1e-4d7c-8e4a-6a5b4c3d2e02" };
const accountId = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake";
/** Role "Storage Blob Data Contributor". */
const blobContributor = "/providers/Microsoft.Authorization/roleDefinitions/ba92f5b4-2d11-453d-a403-e96b0029c9fe";

export async function startWorld(): Promise<World> {
    const dir = await mkdtemp(path.join(tmpdir(), "chaos-"));
    const workshop = await openWorkshop(dir);
    const stop = async () => {
        await workshop.stop();
        await rm(dir, { recursive: true, force: true });
    };
    try {
        return { ...(await startIn(workshop)), stop };
    } catch (error) {
        await stop();
        throw error;
    }
}

async function startIn(workshop: Workshop): Promise<Omit<World, "stop">> {
    const lakeOptions = { account: "lake", key: Buffer.from("a key for tests").toString("base64") };
    const databaseOptions = { database: "game", user: "predictions", password: "a password" };
    const events: QueuedEvent[] = [];
    const access = new AccessControl();
    const assignment = { principalId: identity.principalId, roleDefinitionId: blobContributor, scope: accountId };
    access.types["azure-native:authorization:RoleAssignment"].create(
        { name: "role", inputs: assignment } as never,
        { id: `${accountId}/role`, name: "role" },
    );

    const [tokens, lake, database, cache, source] = await Promise.all([
        startIdentity(workshop),
        restartable(workshop, () => startAzurite(workshop, lakeOptions), ({ blobEndpoint, queueEndpoint }) => [portOf(blobEndpoint), portOf(queueEndpoint)]),
        restartable(workshop, () => startMariaDb(workshop, databaseOptions), ({ port }) => [port]),
        restartable(workshop, () => startRedis(workshop), ({ port }) => [port]),
        startSource(workshop),
    ]);
    tokens.addIdentity(identity);
    await cache.part().allowUser(identity.principalId);
    tokens.onIssue(({ audience, principalId, token }) =>
        audience === "https://redis.azure.com" ? cache.part().setPassword(principalId, token) : Promise.resolve(),
    );
    const [lakeEndpoint = "", queuesEndpoint = ""] = lake.ports.map((port) => `https://${loopback}:${port}/${lakeOptions.account}`);
    const front = await startFront(workshop, {
        kind: "blob",
        account: lakeOptions.account,
        accountId,
        upstream: lakeEndpoint,
        identity: tokens,
        access,
        sharedKeysAllowed: () => true,
        onWritten: ({ container, blob, eTag }) => {
            events.push({ container, path: blob, message: eventOf(container, blob, eTag) });
            return Promise.resolve();
        },
    });
    workshop.onStop(() => front.stop());
    const key = new StorageSharedKeyCredential(lakeOptions.account, lakeOptions.key);
    const inside = new BlobServiceClient(lakeEndpoint, key);
    const outside = new BlobServiceClient(front.endpoint, key);
    await Promise.all(Object.values(containers).map((name) => inside.getContainerClient(name).create()));
    const queues = await startQueues(workshop, queuesEndpoint, new QueueKeyCredential(lakeOptions.account, lakeOptions.key));
    const jobs = await BatchJobs.start(workshop, inside, outside);
    const [cachePort = 0] = cache.ports;
    const [databasePort = 0] = database.ports;
    const cacheAccess = { port: cachePort, password: cache.part().adminPassword };
    const stores = new Stores(inside, { ...databaseOptions, port: databasePort }, cacheAccess);
    workshop.onStop(() => stores.close());

    const connected = {
        ...identity,
        redisPort: cachePort,
        modelUrl: "https://127.0.0.1:1/score",
        modelVersion: "0123456789ab",
    };
    const settings = hotAppSettings(connected, {
        Lake__blobServiceUri: front.endpoint,
        Lake__queueServiceUri: queues.endpoint,
        ...source.settings,
        ...jobs.settings,
        BATCH_FRESH_SECONDS: "90000",
        PREDICTION_KEEP_SECONDS: "172800",
        DATABASE_PORT: String(databasePort),
        DATABASE_NAME: databaseOptions.database,
        DATABASE_USER: databaseOptions.user,
        DATABASE_PASSWORD: databaseOptions.password,
    });
    const workers = await startWorkers(workshop, { ...settings, IDENTITY_ENDPOINT: tokens.endpoint, IDENTITY_HEADER: tokens.header });
    workshop.onStop(() => workers.stop());

    const restarts: Record<Server, (meanwhile: () => Promise<void>) => Promise<void>> = {
        // Azurite keeps its index in memory and Redis the writes of a second, so they are asked to end; the database is killed.
        lake: (meanwhile) => lake.restart("SIGTERM", meanwhile),
        cache: (meanwhile) => cache.restart("SIGTERM", meanwhile),
        database: (meanwhile) => database.restart("SIGKILL", meanwhile),
        source: (meanwhile) => source.restart(meanwhile),
        "batch endpoint": (meanwhile) => jobs.restart(meanwhile),
    };

    return {
        workshop,
        workers,
        stores,
        source,
        jobs,
        container: (name) => outside.getContainerClient(name),
        takeEvents: () => events.splice(0),
        takeMessages: () => queues.take(),
        restart: (server, meanwhile = () => Promise.resolve()) => restarts[server](meanwhile),
        async clear() {
            await Promise.all([stores.clear(), source.put({})]);
            jobs.clear();
            queues.take();
            events.length = 0;
        },
    };
}

function portOf(endpoint: string): number {
    return Number(new URL(endpoint).port);
}

/** Starts a server behind a proxy for each of its ports, which keep their addresses whatever ports it is on after a restart. */
async function restartable<T extends { readonly process: Process }>(workshop: Workshop, start: () => Promise<T>, portsOf: (part: T) => readonly number[]) {
    let part = await start();
    const proxies = await Promise.all(portsOf(part).map((port) => TcpProxy.start({ host: loopback, port })));
    workshop.onStop(async () => {
        await Promise.all(proxies.map((proxy) => proxy.stop()));
    });
    return {
        ports: proxies.map(({ port }) => port),
        part: () => part,
        async restart(signal: "SIGTERM" | "SIGKILL", meanwhile: () => Promise<void>) {
            proxies.forEach((proxy) => proxy.close());
            if (signal === "SIGKILL") {
                process.kill(part.process.pid, signal);
            }
            await part.process.stop();
            await meanwhile();
            part = await start();
            const ports = portsOf(part);
            proxies.forEach((proxy, index) => {
                proxy.lead({ host: loopback, port: ports[index] as number });
                proxy.open();
            });
        },
    };
}
