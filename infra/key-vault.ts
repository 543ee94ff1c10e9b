import * as keyvault from "@pulumi/azure-native/keyvault";
import type * as pulumi from "@pulumi/pulumi";
import { connectPrivately } from "./network/private-link";
import type { PartArgs } from "./part";

export interface VaultArgs extends PartArgs {
    readonly tenantId: pulumi.Input<string>;
}

/**
 * A Key Vault with access by roles, and nothing in it that is gone for good at once. Closed, it still lets in what Azure itself does for the
 * stack: Azure ML, and Resource Manager, which writes the secrets.
 */
export function makeVault(name: string, args: VaultArgs, opts: pulumi.CustomResourceOptions): keyvault.Vault {
    const { resourceGroupName, tags, tenantId, protectData, privateLink } = args;
    const vault = new keyvault.Vault(
        name,
        {
            resourceGroupName,
            properties: {
                tenantId,
                sku: { family: "A", name: "standard" },
                enableRbacAuthorization: true,
                enableSoftDelete: true,
                enablePurgeProtection: true,
                softDeleteRetentionInDays: 7,
                publicNetworkAccess: privateLink ? "Disabled" : "Enabled",
                networkAcls: { defaultAction: privateLink ? "Deny" : "Allow", bypass: "AzureServices" },
            },
            tags,
        },
        { ...opts, protect: protectData },
    );
    connectPrivately(name, { resourceGroupName, tags, privateLink, resourceId: vault.id, services: ["vault"] }, opts);
    return vault;
}
