import type * as machinelearning from "@pulumi/azure-native/machinelearningservices";
import * as pulumi from "@pulumi/pulumi";
import { candidatesFolder, containers } from "../../functions/contracts";
import type { Lake } from "../lake/lake";
import type { PartArgs } from "../part";
import { assignRole } from "../roles";
import { pathInDatastore, type TrainingAssets } from "./assets";
import type { BatchEndpoint } from "./batch";
import type { TrainingPlace } from "./endpoints";
import { blobDatastore, type ModelWorkspace } from "./workspace";

export interface TrainingArgs extends Pick<PartArgs, "resourceGroupName"> {
    readonly lake: Lake;
    readonly workspace: ModelWorkspace;
    readonly assets: TrainingAssets;
    /** Its cluster trains as well. */
    readonly batch: BatchEndpoint;
    /** The model in service. */
    readonly model: machinelearning.ModelVersion;
    /** Object id of the identity that starts the trainings and tells how they ended. */
    readonly callerPrincipalId: pulumi.Input<string>;
}

/**
 * What a job needs that trains the models again on the batch cluster. The cluster's identity reads the players already; here it gets the right
 * to write candidates. To start jobs the handlers need no more than for batch jobs: AzureML Data Scientist covers
 * `workspaces/jobs/write` (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/ai-machine-learning#azureml-data-scientist).
 */
export class Training extends pulumi.ComponentResource implements TrainingPlace {
    readonly workspaceId: pulumi.Output<string>;
    readonly codeId: pulumi.Output<string>;
    readonly environmentId: pulumi.Output<string>;
    readonly computeId: pulumi.Output<string>;
    readonly identityClientId: pulumi.Output<string>;
    readonly currentModel: pulumi.Output<string>;
    readonly candidates: pulumi.Output<string>;

    constructor(name: string, args: TrainingArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:models:Training", name, {}, opts);
        const { resourceGroupName, lake, assets, batch, model, callerPrincipalId } = args;
        const { workspace } = args.workspace;
        const { id: scope, name: containerName } = lake.containers.models;

        const datastore = blobDatastore(
            `${name}-${containers.models}`,
            { resourceGroupName, workspaceName: workspace.name, name: containers.models, accountName: lake.accountName, containerName },
            this,
        );
        assignRole(`${name}-candidates-role`, { role: "storageBlobDataContributor", principalId: batch.identity.principalId, scope }, { parent: this });
        assignRole(`${name}-verdicts-role`, { role: "storageBlobDataReader", principalId: callerPrincipalId, scope }, { parent: this });

        this.workspaceId = workspace.id;
        this.codeId = assets.code.id;
        this.environmentId = assets.environment.id;
        this.computeId = batch.cluster.id;
        this.identityClientId = batch.identity.clientId;
        this.currentModel = model.properties.apply(({ modelUri }) => modelUri ?? "");
        this.candidates = pathInDatastore(datastore, candidatesFolder);
        this.registerOutputs({ candidates: this.candidates });
    }
}
