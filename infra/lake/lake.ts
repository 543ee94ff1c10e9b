import * as storage from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import { containers, poisonSuffix, queues } from "../../functions/contracts";
import { mapValues } from "../../functions/map-values";
import type { PartArgs } from "../part";
import { connectPrivately } from "../network/private-link";
import { accountDefaults, accountName, firewall, serviceEndpoint } from "../storage-account";
import { LakeEvents } from "./events";

/** For how long deleted and overwritten blobs can be had back, in days. */
const recoverableDays = 30;

/** For how long players are kept that were recorded to check and to compare models with, in days. */
const recordedDays = 30;

/** For how long what became of a batch can be asked for after its last change, in days. */
const batchesKeptDays = 400;

export interface LakeArgs extends PartArgs {
    /** Redundancy of the account, such as `Standard_LRS`. */
    readonly sku: pulumi.Input<string>;
}

/** A queue with the queue of the messages that failed too often. */
export interface LakeQueue {
    readonly main: storage.Queue;
    readonly poison: storage.Queue;
}

/** The lake: player data, read and written under Entra identities alone, with word of each complete folder and file on queues. */
export class Lake extends pulumi.ComponentResource {
    readonly accountName: pulumi.Output<string>;
    /** ARM id of the account. */
    readonly accountId: pulumi.Output<string>;
    readonly blobEndpoint: pulumi.Output<string>;
    readonly queueEndpoint: pulumi.Output<string>;
    readonly containers: Readonly<Record<keyof typeof containers, storage.BlobContainer>>;
    readonly queues: Readonly<Record<keyof typeof queues, LakeQueue>>;

    constructor(name: string, args: LakeArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:lake:Lake", name, {}, opts);
        const { resourceGroupName, tags, sku, protectData: protect, privateLink } = args;

        const account = new storage.StorageAccount(
            accountName(name),
            {
                ...accountDefaults,
                resourceGroupName,
                sku: { name: sku },
                allowSharedKeyAccess: false,
                // Not wholly private: Event Grid delivers as a trusted service, and from outside of the network.
                networkRuleSet: firewall(privateLink !== undefined),
                tags,
            },
            { parent: this, protect },
        );
        const inAccount = { resourceGroupName, accountName: account.name };
        const recovery = new storage.BlobServiceProperties(`${name}-recovery`, { ...inAccount, ...recoveryProperties }, { parent: this });
        new storage.ManagementPolicy(
            `${name}-lifecycle`,
            { ...inAccount, managementPolicyName: "default", policy: { rules: [oldVersionsRule, oldBatchesRule, recordedPlayersRule] } },
            { parent: this, dependsOn: recovery },
        );
        this.containers = mapValues(containers, (containerName) =>
            new storage.BlobContainer(`${name}-${containerName}`, { ...inAccount, containerName, publicAccess: "None" }, { parent: this, protect }),
        );
        const queue = (queueName: string) => new storage.Queue(`${name}-${queueName}`, { ...inAccount, queueName }, { parent: this, protect });
        this.queues = mapValues(queues, (queueName) => ({ main: queue(queueName), poison: queue(`${queueName}${poisonSuffix}`) }));

        new LakeEvents(
            `${name}-events`,
            { resourceGroupName, tags, accountId: account.id, containers: this.containers, queues: this.queues },
            { parent: this },
        );
        connectPrivately(name, { resourceGroupName, tags, privateLink, resourceId: account.id, services: ["blob", "queue"] }, { parent: this });

        this.accountName = account.name;
        this.accountId = account.id;
        this.blobEndpoint = serviceEndpoint(account, "blob");
        this.queueEndpoint = serviceEndpoint(account, "queue");
        this.registerOutputs({ accountName: this.accountName, blobEndpoint: this.blobEndpoint, queueEndpoint: this.queueEndpoint });
    }
}

const recoveryProperties = {
    blobServicesName: "default",
    isVersioningEnabled: true,
    deleteRetentionPolicy: { enabled: true, days: recoverableDays },
    containerDeleteRetentionPolicy: { enabled: true, days: recoverableDays },
};

/** Versions are kept for as long as a deleted blob is: they would pile up for ever otherwise. */
const oldVersionsRule = {
    name: "old-versions",
    enabled: true,
    type: "Lifecycle",
    definition: {
        actions: { version: { delete: { daysAfterCreationGreaterThan: recoverableDays } } },
        filters: { blobTypes: ["blockBlob", "appendBlob"] },
    },
};

/**
 * What is recorded of players to check and to compare models with is of no use for long. The day's last addition counts.
 * https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-policy-structure
 */
const recordedPlayersRule = {
    name: "recorded-players",
    enabled: true,
    type: "Lifecycle",
    definition: {
        actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: recordedDays } } },
        filters: { blobTypes: ["appendBlob"], prefixMatch: [`${containers.requests}/`, `${containers.comparisons}/`] },
    },
};

/**
 * States of batches that nothing has happened to for this long: every run of `reconcile` and every list of batches goes through them all.
 * An open batch is written at each of its steps, and no job runs for a year.
 */
const oldBatchesRule = {
    name: "old-batches",
    enabled: true,
    type: "Lifecycle",
    definition: {
        actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: batchesKeptDays } } },
        filters: { blobTypes: ["blockBlob"], prefixMatch: [`${containers.batches}/`] },
    },
};
