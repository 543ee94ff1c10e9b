import * as pulumi from "@pulumi/pulumi";
import type { Lake } from "../lake/lake";
import type { PartArgs } from "../part";
import { assignRole } from "../roles";
import type { Runtime } from "../runtime/runtime";
import type { StackSettings } from "../settings";
import { ModelAssets } from "./assets";
import { BatchEndpoint } from "./batch";
import type { DeployedChallenger, Endpoints, TrainingPlace } from "./endpoints";
import { ModelEvents } from "./events";
import { readDeployedModels, type ModelFolder } from "./model-folder";
import { OnlineEndpoint } from "./online";
import { batchImage, onlineImage, readMlEnvironment, readScoringCode, readTrainingCode } from "./ml-code";
import { Training } from "./training";
import { ModelWorkspace } from "./workspace";

export interface ModelsArgs extends PartArgs {
    readonly tenantId: pulumi.Input<string>;
    /** ARM id of Application Insights. */
    readonly insightsId: pulumi.Input<string>;
    readonly runtime: Runtime;
    readonly lake: Lake;
    /** Object id of the identity that asks the models. */
    readonly callerPrincipalId: pulumi.Input<string>;
    /** ARM id of the subnet of the batch nodes; undefined leaves them outside of the network. */
    readonly computeSubnetId: pulumi.Input<string> | undefined;
    readonly settings: Pick<
        StackSettings,
        | "existingModelVaultId"
        | "modelFolder"
        | "challengerFolder"
        | "keptModelFolders"
        | "onlineInstanceType"
        | "onlineInstanceCount"
        | "onlineMaxConcurrentRequests"
        | "onlineRequestTimeoutSeconds"
        | "batchVmSize"
        | "batchMaxNodes"
        | "batchWorkersPerNode"
        | "trainingFolder"
    >;
}

/** The trained models in Azure ML: a workspace, its assets, an online and a batch endpoint. */
export class Models extends pulumi.ComponentResource implements Endpoints {
    readonly onlineScoringUri: pulumi.Output<string>;
    readonly onlineDeployment: pulumi.Output<string>;
    readonly batchScoringUri: pulumi.Output<string>;
    readonly batchDeployment: pulumi.Output<string>;
    readonly outputDatastore: pulumi.Output<string>;
    readonly modelVersion: pulumi.Output<string>;
    readonly challenger: DeployedChallenger | undefined;
    readonly training: TrainingPlace | undefined;
    readonly deployments: Readonly<Record<string, pulumi.Output<string>>>;

    constructor(name: string, args: ModelsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:models:Models", name, {}, opts);
        const { resourceGroupName, tags, tenantId, insightsId, runtime, lake, settings } = args;
        const { live, challenger, all } = readDeployedModels({ live: settings.modelFolder, challenger: settings.challengerFolder, kept: settings.keptModelFolders });
        const code = readScoringCode();
        const onlineEnvironment = readMlEnvironment(onlineImage, "environment.online.yaml");
        const batchEnvironment = readMlEnvironment(batchImage, "environment.batch.yaml");
        const isTrained = settings.trainingFolder !== undefined;
        const training = isTrained ? { code: readTrainingCode(), environment: readMlEnvironment(batchImage, "environment.train.yaml") } : undefined;

        const workspace = new ModelWorkspace(
            name,
            {
                resourceGroupName,
                tags,
                protectData: args.protectData,
                privateLink: args.privateLink,
                tenantId,
                insightsId,
                runtime,
                lakeAccount: lake.accountName,
                existingVaultId: settings.existingModelVaultId,
            },
            { parent: this },
        );
        const assets = new ModelAssets(
            name,
            { resourceGroupName, runtime, workspace, models: all, code, onlineEnvironment, batchEnvironment, training },
            { parent: this },
        );
        const online = new OnlineEndpoint(
            `${name}-online`,
            {
                resourceGroupName,
                tags,
                runtime,
                workspace,
                assets,
                versions: [code.version, onlineEnvironment.version],
                instanceType: settings.onlineInstanceType,
                instanceCount: settings.onlineInstanceCount,
                maxConcurrentRequests: settings.onlineMaxConcurrentRequests,
                requestTimeoutSeconds: settings.onlineRequestTimeoutSeconds,
                isPrivate: args.privateLink !== undefined,
            },
            { parent: this },
        );
        const batch = new BatchEndpoint(
            `${name}-batch`,
            {
                resourceGroupName,
                tags,
                runtime,
                lake,
                workspace,
                assets,
                model: assets.of(live),
                vmSize: settings.batchVmSize,
                maxNodes: settings.batchMaxNodes,
                workersPerNode: settings.batchWorkersPerNode,
                subnetId: args.computeSubnetId,
            },
            { parent: this },
        );
        // On the workspace, not on the endpoints: a batch job is submitted under the caller's identity, which reads datastores and compute.
        assignRole(
            `${name}-caller-role`,
            { role: "azureMlDataScientist", principalId: args.callerPrincipalId, scope: workspace.workspace.id },
            { parent: this },
        );

        this.training =
            assets.training &&
            new Training(
                `${name}-training`,
                { resourceGroupName, lake, workspace, assets: assets.training, batch, model: assets.of(live), callerPrincipalId: args.callerPrincipalId },
                { parent: this },
            );
        new ModelEvents(`${name}-events`, { resourceGroupName, tags, workspaceId: workspace.workspace.id, lake }, { parent: this });

        this.onlineScoringUri = online.scoringUri;
        const deploymentOf = ({ modelVersion }: ModelFolder) => pulumi.output(online.deployments[modelVersion] ?? "");
        this.deployments = online.deployments;
        this.onlineDeployment = deploymentOf(live);
        this.challenger = challenger && { deployment: deploymentOf(challenger), modelVersion: challenger.modelVersion };
        this.batchScoringUri = batch.scoringUri;
        this.batchDeployment = batch.deployment;
        this.outputDatastore = workspace.predictions.id;
        this.modelVersion = pulumi.output(live.modelVersion);
        this.registerOutputs({ onlineScoringUri: this.onlineScoringUri, batchScoringUri: this.batchScoringUri });
    }
}
