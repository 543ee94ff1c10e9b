import * as pulumi from "@pulumi/pulumi";
import type { ExistingEndpoints } from "../settings";

/** What the handlers know of the models: where they are asked, and which they are. */
export interface Endpoints {
    readonly onlineScoringUri: pulumi.Output<string>;
    readonly onlineDeployment: pulumi.Output<string>;
    readonly batchScoringUri: pulumi.Output<string>;
    readonly batchDeployment: pulumi.Output<string>;
    /** ARM id of the datastore that batch jobs write to. */
    readonly outputDatastore: pulumi.Output<string>;
    readonly modelVersion: pulumi.Output<string>;
    /** Another model beside; undefined where there is none. */
    readonly challenger: DeployedChallenger | undefined;
    /** What models are trained with in the workspace; undefined where they are not. */
    readonly training: TrainingPlace | undefined;
    /** Names of the online deployments, by the version of their models. */
    readonly deployments: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Where a training runs, with what, and where its candidate goes. */
export interface TrainingPlace {
    /** ARM id of the workspace. */
    readonly workspaceId: pulumi.Output<string>;
    /** ARM ids of code, environment and cluster. */
    readonly codeId: pulumi.Output<string>;
    readonly environmentId: pulumi.Output<string>;
    readonly computeId: pulumi.Output<string>;
    /** Client id of the cluster's identity. */
    readonly identityClientId: pulumi.Output<string>;
    /** Address in a datastore of the model in service. */
    readonly currentModel: pulumi.Output<string>;
    /** Address in a datastore of the folder that takes the candidates. */
    readonly candidates: pulumi.Output<string>;
}

/** A model that is tried beside the one in service. */
export interface DeployedChallenger {
    readonly deployment: pulumi.Output<string>;
    readonly modelVersion: string;
}

/** Endpoints that are there already. */
export function existingEndpoints(existing: ExistingEndpoints): Endpoints {
    return {
        onlineScoringUri: pulumi.output(existing.existingScoringUri),
        onlineDeployment: pulumi.output(existing.existingScoringDeployment),
        batchScoringUri: pulumi.output(existing.existingBatchUri),
        batchDeployment: pulumi.output(existing.existingBatchDeployment),
        outputDatastore: pulumi.output(existing.existingOutputDatastore),
        modelVersion: pulumi.output(existing.existingModelVersion),
        challenger: undefined,
        training: undefined,
        deployments: { [existing.existingModelVersion]: pulumi.output(existing.existingScoringDeployment) },
    };
}
