import * as storage from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import type { PartArgs } from "../part";
import { connectPrivately } from "../network/private-link";
import { accountDefaults, accountName, firewall, serviceEndpoint } from "../storage-account";

export interface RuntimeArgs extends PartArgs {
    /** Redundancy of the account, such as `Standard_LRS`. */
    readonly sku: pulumi.Input<string>;
}

/** Deleted blobs can be had back for a week. No versions: the host writes its state over and over. */
const recovery = { deleteRetentionPolicy: { enabled: true, days: 7 }, containerDeleteRetentionPolicy: { enabled: true, days: 7 } };

/**
 * The storage account of deployment packages, the host's state and Azure ML's assets: no player data. Its shared keys stay on, because
 * `storage.Blob` uploads with the account's key (https://github.com/pulumi/pulumi-azure-native/issues/2015) and a package's SAS is
 * signed with it. Its firewall stays open where the others close: the program uploads from wherever it runs, a deployment reads its package
 * from outside of the network, and Azure ML the models.
 */
export class Runtime extends pulumi.ComponentResource {
    readonly accountId: pulumi.Output<string>;
    readonly accountName: pulumi.Output<string>;
    readonly blobEndpoint: pulumi.Output<string>;
    readonly queueEndpoint: pulumi.Output<string>;
    readonly tableEndpoint: pulumi.Output<string>;
    /** Packages as the program uploads them. */
    readonly packages: storage.BlobContainer;
    /** The package that runs, as the platform keeps it. */
    readonly deployed: storage.BlobContainer;
    /** Code and models of Azure ML. */
    readonly assets: storage.BlobContainer;

    constructor(name: string, args: RuntimeArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:runtime:Runtime", name, {}, opts);
        const { resourceGroupName, tags, sku, protectData: protect, privateLink } = args;

        const account = new storage.StorageAccount(
            accountName(name),
            { ...accountDefaults, resourceGroupName, sku: { name: sku }, allowSharedKeyAccess: true, networkRuleSet: firewall(false), tags },
            { parent: this, protect },
        );
        // The keys of the functions are in it, and the state of jobs.
        new storage.BlobServiceProperties(
            `${name}-recovery`,
            { resourceGroupName, accountName: account.name, blobServicesName: "default", ...recovery },
            { parent: this },
        );
        const container = (containerName: string) =>
            new storage.BlobContainer(
                `${name}-${containerName}`,
                { resourceGroupName, accountName: account.name, containerName, publicAccess: "None" },
                { parent: this },
            );
        this.packages = container("packages");
        this.deployed = container("deployed");
        this.assets = container("assets");
        connectPrivately(name, { resourceGroupName, tags, privateLink, resourceId: account.id, services: ["blob", "queue", "table"] }, { parent: this });

        this.accountId = account.id;
        this.accountName = account.name;
        this.blobEndpoint = serviceEndpoint(account, "blob");
        this.queueEndpoint = serviceEndpoint(account, "queue");
        this.tableEndpoint = serviceEndpoint(account, "table");
        this.registerOutputs({ accountId: this.accountId, accountName: this.accountName });
    }
}
