import * as storage from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import type { PartArgs } from "../part";
import { accountDefaults, accountName, serviceEndpoint } from "../storage-account";

export type RuntimeArgs = PartArgs;

/** Deleted blobs can be had back for a week. No versions: the host writes its state over and over. */
const recovery = { deleteRetentionPolicy: { enabled: true, days: 7 }, containerDeleteRetentionPolicy: { enabled: true, days: 7 } };

/**
 * The storage account of deployment packages, the host's state and Azure ML's assets: no player data. Its shared keys stay on, because
 * `storage.Blob` uploads with the account's key (https://github.com/pulumi/pulumi-azure-native/issues/2015) and a package's SAS is
 * signed with it.
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
        const { resourceGroupName, tags } = args;

        const account = new storage.StorageAccount(
            accountName(name),
            { ...accountDefaults, resourceGroupName, sku: { name: "Standard_LRS" }, allowSharedKeyAccess: true, tags },
            { parent: this },
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

        this.accountId = account.id;
        this.accountName = account.name;
        this.blobEndpoint = serviceEndpoint(account, "blob");
        this.queueEndpoint = serviceEndpoint(account, "queue");
        this.tableEndpoint = serviceEndpoint(account, "table");
        this.registerOutputs({ accountId: this.accountId, accountName: this.accountName });
    }
}
