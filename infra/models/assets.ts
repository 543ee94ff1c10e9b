import * as machinelearning from "@pulumi/azure-native/machinelearningservices";
import * as storage from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import { besideTheOld, type ContentFile } from "../content";
import type { PartArgs } from "../part";
import { subscriptionOf } from "../roles";
import type { Runtime } from "../runtime/runtime";
import type { ModelFolder } from "./model-folder";
import type { MlCode, MlEnvironment } from "./ml-code";
import type { ModelWorkspace } from "./workspace";

export interface ModelAssetsArgs extends Pick<PartArgs, "resourceGroupName"> {
    readonly runtime: Runtime;
    readonly workspace: ModelWorkspace;
    /** Each is registered, under its own version. */
    readonly models: readonly ModelFolder[];
    readonly code: MlCode;
    readonly onlineEnvironment: MlEnvironment;
    readonly batchEnvironment: MlEnvironment;
    /** What models are trained with; undefined where they are not. */
    readonly training: { readonly code: MlCode; readonly environment: MlEnvironment } | undefined;
}

/** Code and environment of trainings. */
export interface TrainingAssets {
    readonly code: machinelearning.CodeVersion;
    readonly environment: machinelearning.EnvironmentVersion;
}

/** A model folder with the asset that it has become. */
export interface RegisteredModel {
    readonly folder: ModelFolder;
    readonly asset: machinelearning.ModelVersion;
}

/**
 * Code, models and environments in the workspace. Each version is named by its content and never changes; Azure ML refuses to make some
 * deleted versions again, so they stay when the program leaves them.
 */
export class ModelAssets extends pulumi.ComponentResource {
    readonly code: machinelearning.CodeVersion;
    /** In the order of the arguments. */
    readonly models: readonly RegisteredModel[];
    readonly onlineEnvironment: machinelearning.EnvironmentVersion;
    readonly batchEnvironment: machinelearning.EnvironmentVersion;
    readonly training: TrainingAssets | undefined;

    constructor(name: string, args: ModelAssetsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:models:ModelAssets", name, {}, opts);
        const { resourceGroupName, runtime, training } = args;
        const { workspace, assets } = args.workspace;
        const inWorkspace = { resourceGroupName, workspaceName: workspace.name };
        const kept = { parent: this, retainOnDelete: true, ...besideTheOld };

        const code = (codeName: string, assetName: string, { version, files }: MlCode) => {
            const folder = `code/${version}`;
            return new machinelearning.CodeVersion(
                codeName,
                {
                    ...inWorkspace,
                    name: assetName,
                    version,
                    properties: { codeUri: pulumi.interpolate`${runtime.blobEndpoint}/${runtime.assets.name}/${folder}` },
                },
                { ...kept, dependsOn: this.upload(codeName, folder, files, args) },
            );
        };
        this.code = code(`${name}-code`, "player-predictions", args.code);
        const model = ({ modelVersion, contentVersion, files }: ModelFolder) => {
            const folder = `models/${contentVersion}`;
            // Named by its version here too: a model that goes from one setting to another stays the same resource.
            const modelName = `${name}-model-${modelVersion}`;
            return new machinelearning.ModelVersion(
                modelName,
                {
                    ...inWorkspace,
                    name: "player-predictions",
                    version: contentVersion,
                    properties: { modelType: "custom_model", modelUri: pathInDatastore(assets, folder) },
                },
                { ...kept, dependsOn: this.upload(modelName, folder, files, args) },
            );
        };
        this.models = args.models.map((folder) => ({ folder, asset: model(folder) }));
        const environment = (kind: string, { image, condaFile, version }: MlEnvironment) =>
            new machinelearning.EnvironmentVersion(
                `${name}-${kind}-environment`,
                { ...inWorkspace, name: `player-predictions-${kind}`, version, properties: { image, condaFile, osType: "Linux" } },
                kept,
            );
        this.onlineEnvironment = environment("online", args.onlineEnvironment);
        this.batchEnvironment = environment("batch", args.batchEnvironment);
        this.training = training && {
            code: code(`${name}-training-code`, "player-predictions-training", training.code),
            environment: environment("training", training.environment),
        };

        this.registerOutputs({ codeId: this.code.id });
    }

    /** The asset that a folder has become. */
    of(folder: ModelFolder): machinelearning.ModelVersion {
        const registered = this.models.find((model) => model.folder.modelVersion === folder.modelVersion);
        if (registered === undefined) {
            throw new Error(`model ${folder.modelVersion} was not registered`);
        }
        return registered.asset;
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
export function pathInDatastore(datastore: machinelearning.Datastore, path: string): pulumi.Output<string> {
    return datastore.id.apply((id) => {
        const [, , , , resourceGroup, , , , workspace, , name] = id.split("/");
        return `azureml://subscriptions/${subscriptionOf(id)}/resourcegroups/${resourceGroup}/workspaces/${workspace}/datastores/${name}/paths/${path}`;
    });
}
