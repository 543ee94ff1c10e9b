import * as containerregistry from "@pulumi/azure-native/containerregistry";
import * as machinelearning from "@pulumi/azure-native/machinelearningservices";
import * as storage from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import { containers } from "../../functions/contracts";
import { makeVault } from "../key-vault";
import { connectPrivately } from "../network/private-link";
import type { PartArgs } from "../part";
import type { Runtime } from "../runtime/runtime";

export interface ModelWorkspaceArgs extends PartArgs {
    readonly tenantId: pulumi.Input<string>;
    /** ARM id of Application Insights. */
    readonly insightsId: pulumi.Input<string>;
    readonly runtime: Runtime;
    /** Name of the lake account. */
    readonly lakeAccount: pulumi.Input<string>;
    /** ARM id of a Key Vault that is there already; undefined makes one. */
    readonly existingVaultId: string | undefined;
}

/**
 * The Azure ML workspace with what it stands on. It runs under its own identity, to which Azure ML gives the rights that it needs on
 * these resources, and holds no key of the storage.
 */
export class ModelWorkspace extends pulumi.ComponentResource {
    readonly workspace: machinelearning.Workspace;
    readonly registry: containerregistry.Registry;
    /** Code and models. */
    readonly assets: machinelearning.Datastore;
    /** The lake's `predictions`: where batch jobs write. */
    readonly predictions: machinelearning.Datastore;
    /** Container of the workspace's own datastore `workspaceartifactstore`: logs of jobs. */
    readonly artifacts: storage.BlobContainer;
    /** ARM id of the container of the workspace's own datastore `workspaceblobstore`: state of jobs. */
    readonly jobFilesId: pulumi.Output<string>;
    /** The workspace's addresses in the network: before them, nothing in it is reached from there. */
    readonly connections: readonly pulumi.Resource[];

    constructor(name: string, args: ModelWorkspaceArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:models:ModelWorkspace", name, {}, opts);
        const { resourceGroupName, tags, runtime, protectData: protect, privateLink } = args;

        const vaultId = args.existingVaultId ?? makeVault(`${name}-kv`, args, { parent: this }).id;
        // One that Azure ML makes itself has a password, the admin user; in this one images are pulled under identities.
        this.registry = new containerregistry.Registry(
            `${name}-registry`.replaceAll("-", ""),
            { resourceGroupName, sku: { name: "Basic" }, adminUserEnabled: false, tags },
            { parent: this },
        );
        // The workspace would make it at its first need, which is too late for roles on it.
        this.artifacts = new storage.BlobContainer(
            `${name}-artifacts`,
            { resourceGroupName, accountName: runtime.accountName, containerName: "azureml", publicAccess: "None" },
            { parent: this },
        );
        this.workspace = new machinelearning.Workspace(
            `${name}-workspace`,
            {
                resourceGroupName,
                kind: "Default",
                sku: { name: "Basic", tier: "Basic" },
                identity: { type: "SystemAssigned" },
                storageAccount: runtime.accountId,
                keyVault: vaultId,
                applicationInsights: args.insightsId,
                containerRegistry: this.registry.id,
                systemDatastoresAuthMode: "Identity",
                publicNetworkAccess: privateLink ? "Disabled" : "Enabled",
                tags,
            },
            { parent: this, dependsOn: this.artifacts, protect },
        );
        const { id: resourceId } = this.workspace;
        this.connections = connectPrivately(name, { resourceGroupName, tags, privateLink, resourceId, services: ["workspace"] }, { parent: this });
        // https://learn.microsoft.com/azure/machine-learning/concept-data#default-datastore
        this.jobFilesId = pulumi.interpolate`${runtime.accountId}/blobServices/default/containers/azureml-blobstore-${this.workspace.workspaceId}`;
        const inWorkspace = { resourceGroupName, workspaceName: this.workspace.name };
        this.assets = blobDatastore(`${name}-assets`, { ...inWorkspace, name: "assets", accountName: runtime.accountName, containerName: runtime.assets.name }, this);
        const predictions = { name: containers.predictions, containerName: containers.predictions, accountName: args.lakeAccount };
        this.predictions = blobDatastore(`${name}-${containers.predictions}`, { ...inWorkspace, ...predictions }, this);

        this.registerOutputs({ workspaceName: this.workspace.name });
    }
}

export interface BlobDatastoreArgs extends Pick<PartArgs, "resourceGroupName"> {
    readonly workspaceName: pulumi.Input<string>;
    /** Its name in the workspace. */
    readonly name: string;
    readonly accountName: pulumi.Input<string>;
    readonly containerName: pulumi.Input<string>;
}

/** A container as the workspace knows it, without credentials: jobs read and write under their own identity. */
export function blobDatastore(name: string, args: BlobDatastoreArgs, parent: pulumi.Resource): machinelearning.Datastore {
    const { accountName, containerName, ...address } = args;
    return new machinelearning.Datastore(
        name,
        {
            ...address,
            properties: {
                datastoreType: "AzureBlob",
                accountName,
                containerName,
                credentials: { credentialsType: "None" },
                serviceDataAccessAuthIdentity: "None",
            },
        },
        { parent },
    );
}
