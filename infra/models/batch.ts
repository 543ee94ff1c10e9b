import * as machinelearning from "@pulumi/azure-native/machinelearningservices";
import * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as pulumi from "@pulumi/pulumi";
import { besideTheOld, contentVersion } from "../content";
import type { Lake } from "../lake/lake";
import type { PartArgs } from "../part";
import { assignRole } from "../roles";
import type { Runtime } from "../runtime/runtime";
import type { ModelAssets } from "./assets";
import { scoringScripts } from "./ml-code";
import type { ModelWorkspace } from "./workspace";

export interface BatchEndpointArgs extends Pick<PartArgs, "resourceGroupName" | "tags"> {
    readonly runtime: Runtime;
    readonly lake: Lake;
    readonly workspace: ModelWorkspace;
    readonly assets: ModelAssets;
    /** What scores the folders. */
    readonly model: machinelearning.ModelVersion;
    readonly vmSize: string;
    readonly maxNodes: number;
    /** Files that a node scores at a time. */
    readonly workersPerNode: number;
    /** ARM id of the subnet of the nodes; undefined leaves them outside of the network. */
    readonly subnetId: pulumi.Input<string> | undefined;
}

/** The models over whole folders, on a cluster that has nodes only while there is work. Its identity reads the logs and writes predictions. */
export class BatchEndpoint extends pulumi.ComponentResource {
    readonly scoringUri: pulumi.Output<string>;
    readonly deployment: pulumi.Output<string>;
    readonly cluster: machinelearning.Compute;
    /** Whom jobs on the cluster run as. */
    readonly identity: managedidentity.UserAssignedIdentity;

    constructor(name: string, args: BatchEndpointArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:models:BatchEndpoint", name, {}, opts);
        const { resourceGroupName, tags, assets } = args;
        const inWorkspace = { resourceGroupName, workspaceName: args.workspace.workspace.name };

        this.identity = new managedidentity.UserAssignedIdentity(`${name}-identity`, { resourceGroupName, tags }, { parent: this });
        const rights = this.grant(name, this.identity.principalId, args);
        this.cluster = new machinelearning.Compute(
            `${name}-cluster`,
            {
                ...inWorkspace,
                // Azure keeps the size and the network that a cluster was made with, also of one that is deleted and made again by the same name
                // (https://github.com/Azure/azure-rest-api-specs/issues/18889): another one is another cluster.
                computeName: `scoring${contentVersion(JSON.stringify([args.vmSize, args.subnetId !== undefined]))}`,
                identity: { type: "UserAssigned", userAssignedIdentities: [this.identity.id] },
                properties: {
                    computeType: "AmlCompute",
                    disableLocalAuth: true,
                    properties: {
                        osType: "Linux",
                        vmSize: args.vmSize,
                        vmPriority: "Dedicated",
                        remoteLoginPortPublicAccess: "Disabled",
                        scaleSettings: { minNodeCount: 0, maxNodeCount: args.maxNodes, nodeIdleTimeBeforeScaleDown: "PT120S" },
                        // In the network nodes have no address of their own: they reach the lake by its private endpoint.
                        ...(args.subnetId === undefined ? {} : { subnet: { id: args.subnetId }, enableNodePublicIp: false }),
                    },
                },
                tags,
            },
            { parent: this, ...besideTheOld, dependsOn: [...rights, ...args.workspace.connections] },
        );
        const endpoint = new machinelearning.BatchEndpoint(
            // Named by 3 to 32 characters, eight of them the suffix.
            name,
            { ...inWorkspace, properties: { authMode: "AADToken" }, tags },
            { parent: this },
        );
        const deployment = new machinelearning.BatchDeployment(
            `${name}-deployment`,
            {
                ...inWorkspace,
                endpointName: endpoint.name,
                // Updated in place: jobs that run keep what they started with.
                deploymentName: "predictions",
                properties: {
                    model: { referenceType: "Id", assetId: args.model.id },
                    codeConfiguration: { codeId: assets.code.id, scoringScript: scoringScripts.batch },
                    environmentId: assets.batchEnvironment.id,
                    compute: this.cluster.id,
                    resources: { instanceCount: args.maxNodes },
                    // The script writes its own files: Azure ML's one file has no header.
                    outputAction: "SummaryOnly",
                    // A file at a time, so that a file that fails takes no other with it, and never ends the job.
                    miniBatchSize: 1,
                    errorThreshold: -1,
                    maxConcurrencyPerInstance: args.workersPerNode,
                    retrySettings: { maxRetries: 3, timeout: "PT30M" },
                    loggingLevel: "Info",
                },
                tags,
            },
            { parent: this, customTimeouts: { create: "30m", update: "30m" } },
        );

        this.scoringUri = endpoint.properties.apply((properties) => properties.scoringUri);
        this.deployment = deployment.name;
        this.registerOutputs({ scoringUri: this.scoringUri, deployment: this.deployment });
    }

    private grant(name: string, principalId: pulumi.Output<string>, { runtime, lake, workspace }: BatchEndpointArgs) {
        return [
            assignRole(`${name}-assets-role`, { role: "storageBlobDataReader", principalId, scope: runtime.assets.id }, { parent: this }),
            assignRole(`${name}-images-role`, { role: "acrPull", principalId, scope: workspace.registry.id }, { parent: this }),
            assignRole(`${name}-logs-role`, { role: "storageBlobDataReader", principalId, scope: lake.containers.logs.id }, { parent: this }),
            assignRole(
                `${name}-predictions-role`,
                { role: "storageBlobDataContributor", principalId, scope: lake.containers.predictions.id },
                { parent: this },
            ),
            assignRole(`${name}-job-files-role`, { role: "storageBlobDataContributor", principalId, scope: workspace.jobFilesId }, { parent: this }),
            assignRole(`${name}-artifacts-role`, { role: "storageBlobDataContributor", principalId, scope: workspace.artifacts.id }, { parent: this }),
        ];
    }
}
