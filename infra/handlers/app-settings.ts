import type * as pulumi from "@pulumi/pulumi";
import type { AppSettings } from "../../functions/settings";

/** The handlers' settings as the program computes them: one that is missing does not compile. */
export type HandlerSettings = { readonly [name in keyof AppSettings]: pulumi.Input<string> };

/** Where the host keeps its state, and as whom. */
export interface HostStorage {
    readonly blobEndpoint: pulumi.Input<string>;
    readonly queueEndpoint: pulumi.Input<string>;
    readonly tableEndpoint: pulumi.Input<string>;
}

/**
 * What the Functions host itself reads, all under the identity.
 * https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
 */
export function hostSettings(clientId: pulumi.Input<string>, state: HostStorage, insightsAuthentication: pulumi.Input<string>) {
    return {
        AzureWebJobsStorage__credential: "managedidentity",
        AzureWebJobsStorage__clientId: clientId,
        AzureWebJobsStorage__blobServiceUri: state.blobEndpoint,
        AzureWebJobsStorage__queueServiceUri: state.queueEndpoint,
        AzureWebJobsStorage__tableServiceUri: state.tableEndpoint,
        // The address of Application Insights is among the handlers' own settings: they send metrics there too.
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: insightsAuthentication,
    };
}

/**
 * What the host reads to leave functions to people: their triggers do nothing, and a call with the master key still runs them.
 * https://learn.microsoft.com/azure/azure-functions/disable-function
 */
export function disabledSettings(functions: readonly string[]): Record<string, string> {
    return Object.fromEntries(functions.map((name) => [`AzureWebJobs.${name}.Disabled`, "true"]));
}

/** As the app takes them, in the order of their names, so that previews do not flap. */
export function nameValuePairs(settings: Readonly<Record<string, pulumi.Input<string>>>) {
    return Object.entries(settings)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => ({ name, value }));
}
