import type * as resources from "@pulumi/azure-native/resources";
import * as pulumi from "@pulumi/pulumi";
import type { AwsAccess } from "./aws/access";
import type { Handlers } from "./handlers/handlers";
import type { Lake } from "./lake/lake";

export interface StackParts {
    readonly group: resources.ResourceGroup;
    readonly lake: Lake;
    readonly handlers: Handlers;
    readonly aws: AwsAccess;
}

/** What people and other stacks need of this one. */
export function outputsOf({ group, lake, handlers, aws }: StackParts) {
    return {
        /** Where the game posts players. */
        predictionsUrl: handlers.predictionsUrl,
        /** Key of that route, for the header `x-functions-key`. Secret. */
        functionKey: handlers.functionKey,
        resourceGroup: group.name,
        lakeAccount: lake.accountName,
        functionApp: handlers.appName,
        awsRoleArn: aws.roleArn,
        /** Audience that an existing OIDC provider must take. */
        awsTokenAudience: aws.audience,
        /** Lists the functions that the platform knows. If any is missing, `syncTriggers` tells it of them. */
        listTriggers: pulumi.interpolate`az functionapp function list --resource-group ${group.name} --name ${handlers.appName} --output table`,
        /** A deployment syncs the triggers, but not always: https://github.com/Azure/azure-functions-host/issues/10169 */
        syncTriggers: pulumi.interpolate`az rest --method post --url https://management.azure.com${handlers.appId}/host/default/sync?api-version=2022-03-01`,
    };
}
