import * as resources from "@pulumi/azure-native/resources";
import * as storage from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import { besideTheOld } from "../content";
import type { Runtime } from "../runtime/runtime";
import type { HandlerPackage } from "./package";
import { packageFile } from "./package-cache";

export interface PackageDeploymentArgs {
    readonly resourceGroupName: pulumi.Input<string>;
    readonly appName: pulumi.Input<string>;
    readonly location: pulumi.Input<string>;
    readonly runtime: Runtime;
    readonly package: HandlerPackage;
    readonly now: Date;
}

/**
 * Puts a package into service by `onedeploy`, the way that Flex Consumption has for it
 * (https://learn.microsoft.com/azure/azure-functions/functions-infrastructure-as-code#deployment-package). Blob and deployment carry the
 * package's hash: another package is another deployment, and the same one none.
 */
export class PackageDeployment extends pulumi.ComponentResource {
    readonly deployment: resources.Deployment;

    constructor(name: string, args: PackageDeploymentArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:handlers:PackageDeployment", name, {}, opts);
        const { resourceGroupName, runtime } = args;
        const version = args.package.hash.slice(0, 16);

        const blob = new storage.Blob(
            `${name}-package`,
            {
                resourceGroupName,
                accountName: runtime.accountName,
                containerName: runtime.packages.name,
                blobName: `handlers-${version}.zip`,
                contentType: "application/zip",
                source: new pulumi.asset.FileAsset(packageFile(args.package)),
            },
            { parent: this, ...besideTheOld },
        );
        this.deployment = new resources.Deployment(
            `${name}-onedeploy`,
            {
                resourceGroupName,
                deploymentName: `onedeploy-${version}`,
                properties: {
                    mode: "Incremental",
                    template: oneDeployTemplate(args.appName, args.location),
                    parameters: { packageUri: { value: pulumi.secret(pulumi.interpolate`${blob.url}?${this.readToken(blob, args)}`) } },
                },
            },
            { parent: this, ...besideTheOld, customTimeouts: { create: "20m", update: "20m" } },
        );
        this.registerOutputs({});
    }

    /** A token that reads this blob and nothing else. */
    private readToken(blob: storage.Blob, { resourceGroupName, runtime, now }: PackageDeploymentArgs): pulumi.Output<string> {
        return storage.listStorageAccountServiceSASOutput(
            {
                resourceGroupName,
                accountName: runtime.accountName,
                canonicalizedResource: pulumi.interpolate`/blob/${runtime.accountName}/${runtime.packages.name}/${blob.name}`,
                resource: "b",
                permissions: "r",
                protocols: "https",
                sharedAccessExpiryTime: readTokenExpiry(now),
            },
            { parent: this },
        ).serviceSasToken;
    }
}

/** The end of next year: the same for a year, as a token that changed with every preview would deploy with every preview. */
export function readTokenExpiry(now: Date): string {
    return `${now.getUTCFullYear() + 1}-12-31T00:00:00Z`;
}

/** The address is a secure parameter: the history of deployments does not show it. */
function oneDeployTemplate(appName: pulumi.Input<string>, location: pulumi.Input<string>) {
    return {
        $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        contentVersion: "1.0.0.0",
        parameters: { packageUri: { type: "securestring" } },
        resources: [
            {
                type: "Microsoft.Web/sites/extensions",
                apiVersion: "2022-09-01",
                name: pulumi.interpolate`${appName}/onedeploy`,
                location,
                properties: { packageUri: "[parameters('packageUri')]", remoteBuild: false },
            },
        ],
    };
}
