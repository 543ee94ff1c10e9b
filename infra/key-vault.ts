/** What every Key Vault has in common: access by roles, and nothing in it that is gone for good at once. */
export const vaultDefaults = {
    sku: { family: "A", name: "standard" },
    enableRbacAuthorization: true,
    enableSoftDelete: true,
    enablePurgeProtection: true,
    softDeleteRetentionInDays: 7,
    publicNetworkAccess: "Enabled",
} as const;
