import type * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as web from "@pulumi/azure-native/web";
import * as pulumi from "@pulumi/pulumi";
import type { Lake } from "../lake/lake";
import type { PartArgs } from "../part";
import type { Runtime } from "../runtime/runtime";
import type { StackSettings } from "../settings";
import { disabledSettings, hostSettings, nameValuePairs, type HandlerSettings } from "./app-settings";
import { PackageDeployment } from "./deployment";
import type { HandlerPackage } from "./package";
import { grantHandlers } from "./roles";

export interface HandlersArgs extends Pick<PartArgs, "resourceGroupName" | "tags"> {
    readonly location: pulumi.Input<string>;
    /** Whom the handlers run as. */
    readonly identity: managedidentity.UserAssignedIdentity;
    readonly lake: Lake;
    readonly runtime: Runtime;
    readonly monitoring: { readonly insightsId: pulumi.Input<string> };
    readonly package: HandlerPackage;
    readonly appSettings: HandlerSettings;
    /** Names of the functions whose triggers do nothing. */
    readonly disabled: readonly string[];
    /** What must be there, with its rights, before the handlers start. */
    readonly prerequisites: readonly pulumi.Resource[];
    readonly scale: Pick<StackSettings, "functionMemoryMb" | "functionMaxInstances" | "functionAlwaysReady" | "zoneRedundant">;
    /** ARM id of the subnet of the app; undefined leaves it outside of a network. */
    readonly subnetId: pulumi.Input<string> | undefined;
    readonly now: Date;
}

/** The function app: plan, app, roles, and the package in service. */
export class Handlers extends pulumi.ComponentResource {
    readonly appName: pulumi.Output<string>;
    /** ARM id of the app. */
    readonly appId: pulumi.Output<string>;
    /** Address of the prediction route. */
    readonly predictionsUrl: pulumi.Output<string>;
    /** Secret: key of the routes that need one. */
    readonly functionKey: pulumi.Output<string>;

    constructor(name: string, args: HandlersArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:handlers:Handlers", name, {}, opts);
        const { resourceGroupName, tags, identity, lake, runtime, monitoring } = args;

        const roles = grantHandlers(name, { principalId: identity.principalId, lake, runtime, insightsId: monitoring.insightsId }, { parent: this });
        const plan = new web.AppServicePlan(
            `${name}-plan`,
            {
                resourceGroupName,
                kind: "functionapp",
                reserved: true,
                sku: { name: "FC1", tier: "FlexConsumption" },
                zoneRedundant: args.scale.zoneRedundant,
                tags,
            },
            { parent: this },
        );
        const siteConfig = {
            minTlsVersion: "1.2",
            appSettings: nameValuePairs({
                ...args.appSettings,
                ...hostSettings(identity.clientId, runtime, pulumi.interpolate`ClientId=${identity.clientId};Authorization=AAD`),
                ...disabledSettings(args.disabled),
            }),
        };
        const app = new web.WebApp(
            `${name}-app`,
            {
                resourceGroupName,
                kind: "functionapp,linux",
                serverFarmId: plan.id,
                httpsOnly: true,
                clientAffinityEnabled: false,
                publicNetworkAccess: "Enabled",
                // Everything that it asks then goes through the subnet; Flex Consumption has no switch for that.
                ...(args.subnetId === undefined ? {} : { virtualNetworkSubnetId: args.subnetId }),
                identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
                keyVaultReferenceIdentity: identity.id,
                functionAppConfig: flexConsumption(args),
                tags,
            },
            { parent: this, dependsOn: [...roles, ...args.prerequisites], transformations: [withSiteConfig(siteConfig)] },
        );
        const policy = { resourceGroupName, name: app.name, allow: false };
        new web.WebAppFtpAllowed(`${name}-ftp`, policy, { parent: this });
        new web.WebAppScmAllowed(`${name}-scm`, policy, { parent: this });
        const { deployment } = new PackageDeployment(
            name,
            { resourceGroupName, appName: app.name, location: args.location, runtime, package: args.package, now: args.now },
            { parent: this },
        );

        this.appName = app.name;
        this.appId = app.id;
        this.predictionsUrl = pulumi.interpolate`https://${app.defaultHostName}/api/predictions`;
        // The host makes its keys when it first starts, with the first package.
        const keys = web.listWebAppHostKeysOutput({ resourceGroupName, name: app.name }, { parent: this, dependsOn: [deployment] });
        this.functionKey = pulumi.secret(keys.apply(({ functionKeys }) => functionKeys?.default ?? ""));
        this.registerOutputs({ appName: this.appName, predictionsUrl: this.predictionsUrl });
    }
}

/**
 * Puts `siteConfig` in as it is. The SDK adds settings of other plans to it, which Flex Consumption refuses
 * (https://github.com/microsoft/azure-pipelines-tasks/issues/21032), and hands over none of it in a preview while any of it is not known:
 * nobody would see there which setting changes.
 */
function withSiteConfig(siteConfig: pulumi.Inputs): pulumi.ResourceTransformation {
    return ({ props, opts }) => ({ props: { ...props, siteConfig }, opts });
}

/** https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan */
function flexConsumption({ identity, runtime, scale }: HandlersArgs) {
    return {
        deployment: {
            storage: {
                type: "blobContainer",
                value: pulumi.interpolate`${runtime.blobEndpoint}/${runtime.deployed.name}`,
                authentication: { type: "UserAssignedIdentity", userAssignedIdentityResourceId: identity.id },
            },
        },
        runtime: { name: "node", version: "24" },
        scaleAndConcurrency: {
            instanceMemoryMB: scale.functionMemoryMb,
            maximumInstanceCount: scale.functionMaxInstances,
            alwaysReady: scale.functionAlwaysReady === 0 ? [] : [{ name: "http", instanceCount: scale.functionAlwaysReady }],
        },
    } as const;
}
