import * as machinelearning from "@pulumi/azure-native/machinelearningservices";
import * as storage from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import { besideTheOld, type ContentFile } from "../content";
import type { PartArgs } from "../part";
import { subscriptionOf } from "../roles";
import type { Runtime } from "../runtime/runtime";
import type { ModelFolder } from "./model-folder";
import type { ScoringCode, ScoringEnvironment } from "./scoring-code";
import type { ModelWorkspace } from "./workspace";

export interface ModelAssetsArgs extends Pick<PartArgs, "resourceGroupName"> {
    readonly runtime: Runtime;
    readonly workspace: ModelWorkspace;
    readonly model: ModelFolder;
    readonly code: ScoringCode;
    readonly onlineEnvironment: ScoringEnvironment;
    readonly batchEnvironment: ScoringEnvironment;
}

/**
 * Code, model and environments in the workspace. Each version is named by its content and never changes; Azure ML refuses to make some
 * deleted versions again, so they stay when the program leaves them.
 */
export class ModelAssets extends pulumi.ComponentResource {
    readonly code: machinelearning.CodeVersion;
    readonly model: machinelearning.ModelVersion;
    readonly onlineEnvironment: machinelearning.EnvironmentVersion;
    readonly batchEnvironment: machinelearning.EnvironmentVersion;

    constructor(name: string, args: ModelAssetsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:models:ModelAssets", name, {}, opts);
        const { resourceGroupName, runtime, code, model } = args;
        const { workspace, assets } = args.workspace;
        const inWorkspace = { resourceGroupName, workspaceName: workspace.name };
        const kept = { parent: this, retainOnDelete: true, ...besideTheOld };

        const codeFolder = `code/${code.version}`;
        this.code = new machinelearning.CodeVersion(
            `${name}-code`,
            {
                ...inWorkspace,
                name: "player-predictions",
                version: code.version,
                properties: { codeUri: pulumi.interpolate`${runtime.blobEndpoint}/${runtime.assets.name}/${codeFolder}` },
            },
            { ...kept, dependsOn: this.upload(`${name}-code`, codeFolder, code.files, args) },
        );
        const modelFolder = `models/${model.contentVersion}`;
        this.model = new machinelearning.ModelVersion(
            `${name}-model`,
            {
                ...inWorkspace,
                name: "player-predictions",
                version: model.contentVersion,
                properties: { modelType: "custom_model", modelUri: pathInDatastore(assets, modelFolder) },
            },
            { ...kept, dependsOn: this.upload(`${name}-model`, modelFolder, model.files, args) },
        );
        const environment = (kind: string, { image, condaFile, version }: ScoringEnvironment) =>
            new machinelearning.EnvironmentVersion(
                `${name}-${kind}-environment`,
                { ...inWorkspace, name: `player-predictions-${kind}`, version, properties: { image, condaFile, osType: "Linux" } },
                kept,
            );
        this.onlineEnvironment = environment("online", args.onlineEnvironment);
        this.batchEnvironment = environment("batch", args.batchEnvironment);

        this.registerOutputs({ codeId: this.code.id, modelId: this.model.id });
    }

    private upload(name: string, folder: string, files: readonly ContentFile[], { resourceGroupName, runtime }: ModelAssetsArgs): storage.Blob[] {
        return files.map(
            (file) =>
                new storage.Blob(
                    `${name}-${file.name.replaceAll("/", "-")}`,
                    {
                        resourceGroupName,
                        accountName: runtime.accountName,
                        containerName: runtime.assets.name,
                        blobName: `${folder}/${file.name}`,
                        source: new pulumi.asset.FileAsset(file.file),
                    },
                    { parent: this, ...besideTheOld },
                ),
        );
    }
}

/** https://learn.microsoft.com/azure/machine-learning/reference-yaml-core-syntax#azure-ml-data-reference-uris */
function pathInDatastore(datastore: machinelearning.Datastore, path: string): pulumi.Output<string> {
    return datastore.id.apply((id) => {
        const [, , , , resourceGroup, , , , workspace, , name] = id.split("/");
        return `azureml://subscriptions/${subscriptionOf(id)}/resourcegroups/${resourceGroup}/workspaces/${workspace}/datastores/${name}/paths/${path}`;
    });
}
