import type * as storage from "@pulumi/azure-native/storage";
import type * as pulumi from "@pulumi/pulumi";

/** What both storage accounts have in common. */
export const accountDefaults = {
    kind: "StorageV2",
    minimumTlsVersion: "TLS1_2",
    enableHttpsTrafficOnly: true,
    allowBlobPublicAccess: false,
    allowCrossTenantReplication: false,
    defaultToOAuthAuthentication: true,
    publicNetworkAccess: "Enabled",
} as const;

/** Who reaches the account, before roles say what they may do: everybody, or private endpoints and what Azure itself does for the stack. */
export function firewall(isClosed: boolean) {
    return { defaultAction: isClosed ? "Deny" : "Allow", bypass: "AzureServices" } as const;
}

/** Accounts are named by 3 to 24 lower-case letters and digits; eight of them are the suffix that makes the name unique. */
export function accountName(name: string): string {
    return name.replaceAll("-", "");
}

/** Address of one of the account's services, without the slash at its end. */
export function serviceEndpoint(account: storage.StorageAccount, service: "blob" | "queue" | "table"): pulumi.Output<string> {
    return account.primaryEndpoints.apply((endpoints) => endpoints[service].replace(/\/$/, ""));
}
