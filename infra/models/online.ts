import * as machinelearning from "@pulumi/azure-native/machinelearningservices";
import * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as pulumi from "@pulumi/pulumi";
import { besideTheOld, contentVersion } from "../content";
import type { PartArgs } from "../part";
import { assignRole } from "../roles";
import type { Runtime } from "../runtime/runtime";
import type { ModelAssets, RegisteredModel } from "./assets";
import { scoringScripts } from "./ml-code";
import type { ModelWorkspace } from "./workspace";

export interface OnlineEndpointArgs extends Pick<PartArgs, "resourceGroupName" | "tags"> {
    readonly runtime: Runtime;
    readonly workspace: ModelWorkspace;
    /** Each of its models has a deployment of its own. */
    readonly assets: ModelAssets;
    /** Versions of what they are deployed with: another one of them is another deployment. */
    readonly versions: readonly string[];
    readonly instanceType: string;
    readonly instanceCount: number;
    /** Requests that an instance works on at a time; Azure ML answers 429 above twice as many. */
    readonly maxConcurrentRequests: number;
    readonly requestTimeoutSeconds: number;
    /** Whether it is reached from the network alone. */
    readonly isPrivate: boolean;
}

/**
 * The models behind HTTP. Its identity may read assets and pull images, and sees nothing of the lake. Requests name their deployment in
 * a header, so no traffic is set: a deployment that gets traffic cannot be deleted, and setting it takes a second update of the endpoint.
 */
export class OnlineEndpoint extends pulumi.ComponentResource {
    readonly scoringUri: pulumi.Output<string>;
    /** Names of the deployments, by the version that the models give themselves. */
    readonly deployments: Readonly<Record<string, pulumi.Output<string>>>;

    constructor(name: string, args: OnlineEndpointArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:models:OnlineEndpoint", name, {}, opts);
        const { resourceGroupName, tags, assets, runtime } = args;
        const { workspace, registry } = args.workspace;
        const inWorkspace = { resourceGroupName, workspaceName: workspace.name };

        const identity = new managedidentity.UserAssignedIdentity(`${name}-identity`, { resourceGroupName, tags }, { parent: this });
        const { principalId } = identity;
        // Azure ML looks for these rights when a deployment is made
        // (https://learn.microsoft.com/azure/machine-learning/how-to-access-resources-from-endpoints-managed-identities).
        const rights = [
            assignRole(`${name}-assets-role`, { role: "storageBlobDataReader", principalId, scope: runtime.assets.id }, { parent: this }),
            assignRole(`${name}-images-role`, { role: "acrPull", principalId, scope: registry.id }, { parent: this }),
            assignRole(`${name}-metrics-role`, { role: "azureMlMetricsWriter", principalId, scope: workspace.id }, { parent: this }),
        ];
        const endpoint = new machinelearning.OnlineEndpoint(
            // Named by 3 to 32 characters, eight of them the suffix.
            name,
            {
                ...inWorkspace,
                identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
                // Closed, it is reached by the workspace's private endpoint.
                properties: { authMode: "AADToken", publicNetworkAccess: args.isPrivate ? "Disabled" : "Enabled" },
                tags,
            },
            { parent: this, dependsOn: [...rights, ...args.workspace.connections] },
        );
        const deploy = ({ folder, asset }: RegisteredModel) =>
            new machinelearning.OnlineDeployment(
                // By the model, whichever setting names it: what answers goes on when the settings change places. What no setting names any more
                // is deleted at the end of an update, after the handlers have turned to what is new.
                `${name}-deployment-${folder.modelVersion}`,
                {
                    ...inWorkspace,
                    endpointName: endpoint.name,
                    // Code, model and VM size of a deployment are fixed: another name is made beside it before the old one goes.
                    deploymentName: `m${contentVersion(...args.versions, folder.contentVersion, args.instanceType)}`,
                    sku: { name: "Default", capacity: args.instanceCount },
                    properties: {
                        endpointComputeType: "Managed",
                        model: asset.id,
                        codeConfiguration: { codeId: assets.code.id, scoringScript: scoringScripts.online },
                        environmentId: assets.onlineEnvironment.id,
                        instanceType: args.instanceType,
                        scaleSettings: { scaleType: "Default" },
                        requestSettings: {
                            maxConcurrentRequestsPerInstance: args.maxConcurrentRequests,
                            requestTimeout: `PT${args.requestTimeoutSeconds}S`,
                        },
                        // As many worker processes as requests at a time: the scoring script works on one.
                        environmentVariables: { WORKER_COUNT: String(args.maxConcurrentRequests) },
                        // Application Insights takes no telemetry by key; `az ml online-deployment get-logs` shows the logs.
                        appInsightsEnabled: false,
                    },
                    tags,
                },
                // The first one builds the image.
                { parent: this, ...besideTheOld, customTimeouts: { create: "60m", update: "60m", delete: "30m" } },
            );

        this.scoringUri = endpoint.properties.apply((properties) => properties.scoringUri);
        this.deployments = Object.fromEntries(assets.models.map((model) => [model.folder.modelVersion, deploy(model).name]));
        this.registerOutputs({ scoringUri: this.scoringUri, deployments: this.deployments });
    }
}
