import * as pulumi from "@pulumi/pulumi";
import type { AwsAccess } from "./aws/access";
import type { Handlers } from "./handlers/handlers";
import type { Lake } from "./lake/lake";
import type { Endpoints } from "./models/endpoints";
import type { Network } from "./network/network";

export interface StackParts {
    readonly groupName: pulumi.Output<string>;
    readonly network: Network | undefined;
    readonly lake: Lake;
    readonly handlers: Handlers;
    readonly aws: AwsAccess;
    readonly endpoints: Endpoints;
}

/** What people and other stacks need of this one. */
export function outputsOf({ groupName, network, lake, handlers, aws, endpoints }: StackParts) {
    return {
        /** Where the game posts players. */
        predictionsUrl: handlers.predictionsUrl,
        /** Key of that route, for the header `x-functions-key`. Secret. */
        functionKey: handlers.functionKey,
        resourceGroup: groupName,
        lakeAccount: lake.accountName,
        functionApp: handlers.appName,
        /** The one address that the handlers come from, for the studio's own firewalls; empty where it is not fixed. */
        egressAddress: network?.egressAddress ?? "",
        awsRoleArn: aws.roleArn,
        onlineScoringUri: endpoints.onlineScoringUri,
        /** Version of the models in service. */
        modelVersion: endpoints.modelVersion,
        /** Names of the online deployments, by the version of their models: the value of the header `azureml-model-deployment` that asks one of them. */
        onlineDeployments: endpoints.deployments,
        /** Audience that an existing OIDC provider must take. */
        awsTokenAudience: aws.audience,
        /** Lists the functions that the platform knows. If any is missing, `syncTriggers` tells it of them. */
        listTriggers: pulumi.interpolate`az functionapp function list --resource-group ${groupName} --name ${handlers.appName} --output table`,
        /** A deployment syncs the triggers, but not always: https://github.com/Azure/azure-functions-host/issues/10169 */
        syncTriggers: pulumi.interpolate`az rest --method post --url https://management.azure.com${handlers.appId}/host/default/sync?api-version=2022-03-01`,
    };
}
