import { createReadStream, rmSync, type ReadStream } from "node:fs";
import { Readable } from "node:stream";
import {
    BlobSASPermissions,
    BlobServiceClient,
    generateBlobSASQueryParameters,
    SASProtocol,
    StorageSharedKeyCredential,
    type BlockBlobClient,
    type ContainerClient,
} from "@azure/storage-blob";
import { QueueServiceClient, StorageSharedKeyCredential as QueueKeyCredential, type QueueClient } from "@azure/storage-queue";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { azuriteDir, startAzurite } from "../../parts/azurite";
import type { IdentityPart } from "../../parts/identity";
import { loopback } from "../../parts/ports";
import type { Workshop } from "../../parts/workshop";
import type { AccessControl } from "../access";
import { leavingNothing } from "../leftovers";
import { armResource, LocalCloudError, recorded, type CloudService, type Identified, type Inputs, type Outputs, type Registration } from "../resource-type";
import type { Secrets } from "../secrets";
import { StorageEvents, type AccountDirectory } from "./events";
import { startFront, type Front } from "./front";
import type { StorageKind } from "./requests";

/** A storage account of the local cloud. */
export interface LocalAccount {
    readonly id: string;
    readonly name: string;
    readonly key: string;
    /** Where the program and the handlers reach it: through the fronts. */
    readonly blobEndpoint: string;
    readonly queueEndpoint: string;
    readonly tableEndpoint: string;
    /** Azurite's own queue endpoint, for Event Grid, which is no client of the account. */
    readonly azuriteQueueEndpoint: string;
    /** Full access to the blobs with the account's key, past the fronts: for what Azure itself does inside. */
    readonly blobs: BlobServiceClient;
    readonly queues: QueueServiceClient;
    sharedKeysAllowed: boolean;
    /** Ends its servers; what they hold stays. */
    readonly stop: () => Promise<void>;
}

const accountInputs = z.object({ allowSharedKeyAccess: z.boolean().default(true) });
const inAccount = z.object({ accountName: z.string() });
const containerInputs = z.object({ publicAccess: z.enum(["None", "Blob", "Container"]).default("None") });
/** What the SDK calls the kinds of public access. */
const publicAccess = { None: undefined, Blob: "blob", Container: "container" } as const;
const blobInputs = inAccount.extend({
    containerName: z.string(),
    blobName: z.string().optional(),
    contentType: z.string().optional(),
    /** Not told when it is not to be uploaded. */
    source: z.unknown().optional(),
});
const sasInputs = inAccount.extend({
    canonicalizedResource: z.string(),
    permissions: z.string(),
    sharedAccessExpiryTime: z.string(),
    sharedAccessStartTime: z.string().optional(),
});

/** Storage accounts as one Azurite each, behind fronts that know role assignments and tell Event Grid of writes. */
export class StorageService implements CloudService, AccountDirectory {
    readonly #accounts = new Map<string, LocalAccount>();
    /** Event Grid over these accounts. */
    readonly events: StorageEvents;

    constructor(
        private readonly workshop: Workshop,
        private readonly secrets: Secrets,
        private readonly identity: IdentityPart,
        private readonly access: AccessControl,
    ) {
        this.events = new StorageEvents(this, access);
    }

    readonly types = {
        "azure-native:storage:StorageAccount": {
            identify: armResource("Microsoft.Storage/storageAccounts", "accountName"),
            create: async (registration: Registration, { id, name }: Identified) => {
                const account = this.#accounts.get(name) ?? (await this.#start(id, name));
                account.sharedKeysAllowed = accountInputs.parse(registration.inputs).allowSharedKeyAccess;
                return {
                    primaryEndpoints: { blob: `${account.blobEndpoint}/`, queue: `${account.queueEndpoint}/`, table: `${account.tableEndpoint}/` },
                };
            },
            remove: async (_registration: Registration, { name }: Identified) => {
                await this.#accounts.get(name)?.stop();
                rmSync(azuriteDir(this.workshop, name), { recursive: true, force: true });
            },
        },
        "azure-native:storage:BlobServiceProperties": recorded(
            armResource("Microsoft.Storage/storageAccounts/blobServices", "accountName", "blobServicesName"),
        ),
        "azure-native:storage:ManagementPolicy": recorded(
            armResource("Microsoft.Storage/storageAccounts/managementPolicies", "accountName", "managementPolicyName"),
        ),
        "azure-native:storage:BlobContainer": {
            identify: armResource("Microsoft.Storage/storageAccounts/blobServices/containers", "accountName", "=default", "containerName"),
            create: async (registration: Registration, { name }: Identified) => {
                const container = this.#container(registration, name);
                await container.createIfNotExists();
                await container.setAccessPolicy(publicAccess[containerInputs.parse(registration.inputs).publicAccess]);
                return {};
            },
            restore: () => ({}),
            read: async (registration: Registration, { name }: Identified) => {
                const container = this.#container(registration, name);
                if (!(await container.exists())) {
                    return undefined;
                }
                const { blobPublicAccess } = await container.getProperties();
                return { publicAccess: Object.entries(publicAccess).find(([, access]) => access === blobPublicAccess)?.[0] };
            },
            remove: async (registration: Registration, { name }: Identified) => {
                await this.#container(registration, name).deleteIfExists();
            },
        },
        "azure-native:storage:Queue": {
            identify: armResource("Microsoft.Storage/storageAccounts/queueServices/queues", "accountName", "=default", "queueName"),
            create: async (registration: Registration, { name }: Identified) => {
                await this.#queue(registration, name).createIfNotExists();
                return {};
            },
            restore: () => ({}),
            read: async (registration: Registration, { name }: Identified) => ((await this.#queue(registration, name).exists()) ? {} : undefined),
            remove: async (registration: Registration, { name }: Identified) => {
                await this.#queue(registration, name).deleteIfExists();
            },
        },
        "azure-native:storage:Blob": {
            identify: (registration: Registration) => {
                const { accountName, containerName, blobName } = blobInputs.parse(registration.inputs);
                const name = blobName ?? registration.name;
                return { id: `${this.byName(accountName).blobEndpoint}/${containerName}/${name}`, name };
            },
            create: async (registration: Registration, { id, name }: Identified) => {
                const { contentType, source } = blobInputs.parse(registration.inputs);
                await this.#blob(registration, name).uploadStream(await assetStream(source, registration.name), undefined, undefined, {
                    blobHTTPHeaders: { blobContentType: contentType },
                });
                return { url: id };
            },
            restore: (_registration: Registration, { id }: Identified) => ({ url: id }),
            read: async (registration: Registration, { name }: Identified) => ((await this.#blob(registration, name).exists()) ? {} : undefined),
            remove: async (registration: Registration, { name }: Identified) => {
                await this.#blob(registration, name).deleteIfExists();
            },
        },
    };

    readonly calls = {
        "azure-native:storage:listStorageAccountServiceSAS": (inputs: Inputs) => this.#blobSas(inputs),
    };

    /** @throws LocalCloudError when there is no such account */
    byName(name: string): LocalAccount {
        const account = this.#accounts.get(name);
        if (account === undefined) {
            throw new LocalCloudError(`there is no storage account ${name}; known: ${[...this.#accounts.keys()].join(", ") || "none"}`);
        }
        return account;
    }

    byId(accountId: string): LocalAccount {
        return this.byName(accountId.split("/").at(-1) ?? "");
    }

    /**
     * What a blob URL of this machine names. The account is in its path; its port may be that of an earlier run.
     * @throws LocalCloudError when it names none
     */
    locate(url: string): { readonly account: LocalAccount; readonly container: string; readonly path: string } {
        const { hostname, pathname } = new URL(url);
        const [, name = "", container = "", ...path] = pathname.split("/").map(decodeURIComponent);
        const account = hostname === loopback ? this.#accounts.get(name) : undefined;
        if (account === undefined) {
            throw new LocalCloudError(`${url.split("?")[0]} is not in a local storage account`);
        }
        return { account, container, path: path.join("/").replace(/\/$/, "") };
    }

    #container({ inputs }: Registration, name: string): ContainerClient {
        return this.byName(inAccount.parse(inputs).accountName).blobs.getContainerClient(name);
    }

    #queue({ inputs }: Registration, name: string): QueueClient {
        return this.byName(inAccount.parse(inputs).accountName).queues.getQueueClient(name);
    }

    #blob({ inputs }: Registration, name: string): BlockBlobClient {
        const { accountName, containerName } = blobInputs.parse(inputs);
        return this.byName(accountName).blobs.getContainerClient(containerName).getBlockBlobClient(name);
    }

    async #start(id: string, name: string): Promise<LocalAccount> {
        const key = this.secrets.get(`storage-account-${name}`);
        const azurite = await leavingNothing(azuriteDir(this.workshop, name), () => startAzurite(this.workshop, { account: name, key }));
        const fronts: Front[] = [];
        const stop = async (): Promise<void> => {
            this.#accounts.delete(name);
            await Promise.all(fronts.map((front) => front.stop()));
            await azurite.process.stop();
        };
        const front = async (kind: StorageKind, upstream: string): Promise<string> => {
            const started = await startFront(this.workshop, {
                kind,
                account: name,
                accountId: id,
                upstream,
                identity: this.identity,
                access: this.access,
                sharedKeysAllowed: () => this.byName(name).sharedKeysAllowed,
                onWritten: (written) => this.events.publish(id, written),
            });
            fronts.push(started);
            this.workshop.onStop(() => started.stop());
            return started.endpoint;
        };
        try {
            const account: LocalAccount = {
                id,
                name,
                key,
                blobEndpoint: await front("blob", azurite.blobEndpoint),
                queueEndpoint: await front("queue", azurite.queueEndpoint),
                tableEndpoint: azurite.tableEndpoint,
                azuriteQueueEndpoint: azurite.queueEndpoint,
                blobs: new BlobServiceClient(azurite.blobEndpoint, new StorageSharedKeyCredential(name, key)),
                queues: new QueueServiceClient(azurite.queueEndpoint, new QueueKeyCredential(name, key)),
                sharedKeysAllowed: true,
                stop,
            };
            this.#accounts.set(name, account);
            void azurite.process.exited.then(stop);
            return account;
        } catch (error) {
            await stop();
            throw error;
        }
    }

    /** A service SAS for one blob; `canonicalizedResource` is `/blob/<account>/<container>/<blob>`. */
    #blobSas(inputs: Inputs): Outputs {
        const { accountName, canonicalizedResource, permissions, sharedAccessExpiryTime, sharedAccessStartTime } = sasInputs.parse(inputs);
        const account = this.byName(accountName);
        const [, , , containerName, ...blobName] = canonicalizedResource.split("/");
        if (containerName === undefined || blobName.length === 0) {
            throw new LocalCloudError(`canonicalizedResource is ${JSON.stringify(canonicalizedResource)}; expected /blob/<account>/<container>/<blob>`);
        }
        const token = generateBlobSASQueryParameters(
            {
                containerName,
                blobName: blobName.join("/"),
                permissions: BlobSASPermissions.parse(permissions),
                protocol: SASProtocol.Https,
                expiresOn: new Date(sharedAccessExpiryTime),
                startsOn: sharedAccessStartTime === undefined ? undefined : new Date(sharedAccessStartTime),
            },
            new StorageSharedKeyCredential(accountName, account.key),
        );
        return { serviceSasToken: token.toString() };
    }
}

async function assetStream(source: unknown, name: string): Promise<Readable | ReadStream> {
    if (pulumi.asset.Asset.isInstance(source)) {
        if (source instanceof pulumi.asset.FileAsset) {
            return createReadStream(await source.path);
        }
        if (source instanceof pulumi.asset.StringAsset) {
            return Readable.from(Buffer.from(await source.text));
        }
    }
    throw new LocalCloudError(`storage.Blob "${name}": the source is not a file or text asset`);
}
