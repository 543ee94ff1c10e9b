import { resource, type Cases } from "./case";

const redis = "azure-native:redisenterprise";
const ml = "azure-native:machinelearningservices";
const vault = (properties: Record<string, unknown>) => resource("azure-native:keyvault:Vault", { properties });

export const serviceCases: Cases = {
    "redis-no-access-keys": {
        good: [resource(`${redis}:Database`, { accessKeysAuthentication: "Disabled" })],
        bad: [{ what: resource(`${redis}:Database`, {}), faults: ['accessKeysAuthentication is not set: set it to "Disabled"'] }],
    },
    "redis-tls": {
        good: [
            resource(`${redis}:Database`, { clientProtocol: "Encrypted" }),
            resource(`${redis}:RedisEnterprise`, { minimumTlsVersion: "1.2" }),
        ],
        bad: [
            {
                what: resource(`${redis}:Database`, { clientProtocol: "Plaintext" }),
                faults: ['clientProtocol is "Plaintext": set it to "Encrypted"'],
            },
            {
                what: resource(`${redis}:RedisEnterprise`, { minimumTlsVersion: "1.0" }),
                faults: ['minimumTlsVersion is "1.0": set it to "1.2"'],
            },
        ],
    },
    "vault-rbac": {
        good: [vault({ enableRbacAuthorization: true })],
        bad: [{ what: vault({ accessPolicies: [] }), faults: ["properties.enableRbacAuthorization is not set: set it to true"] }],
    },
    "vault-purge-protection": {
        good: [vault({ enablePurgeProtection: true, enableSoftDelete: true })],
        bad: [
            {
                what: vault({ enableSoftDelete: false }),
                faults: [
                    "properties.enablePurgeProtection is not set: set it to true",
                    "properties.enableSoftDelete is false: set it to true",
                ],
            },
        ],
    },
    "ml-workspace-identity": {
        good: [
            resource(`${ml}:Workspace`, { systemDatastoresAuthMode: "Identity", identity: { type: "SystemAssigned" } }),
            resource(`${ml}:Datastore`, { properties: { credentials: { credentialsType: "None" } } }),
        ],
        bad: [
            {
                what: resource(`${ml}:Workspace`, { systemDatastoresAuthMode: "AccessKey" }),
                faults: [
                    'systemDatastoresAuthMode is "AccessKey": set it to "Identity"',
                    'identity.type is not set: set it to "SystemAssigned" or "UserAssigned"',
                ],
            },
            {
                what: resource(`${ml}:Datastore`, { properties: { credentials: { credentialsType: "AccountKey" } } }),
                faults: ['properties.credentials.credentialsType is "AccountKey": set it to "None"'],
            },
        ],
    },
    "ml-endpoint-entra": {
        good: [
            resource(`${ml}:OnlineEndpoint`, { properties: { authMode: "AADToken" } }),
            resource(`${ml}:BatchEndpoint`, { properties: { authMode: "AADToken" } }),
        ],
        bad: [
            {
                what: resource(`${ml}:OnlineEndpoint`, { properties: { authMode: "Key" } }),
                faults: ['properties.authMode is "Key": set it to "AADToken"'],
            },
            { what: resource(`${ml}:BatchEndpoint`, { properties: {} }), faults: ['properties.authMode is not set: set it to "AADToken"'] },
        ],
    },
    "ml-compute-no-local-user": {
        good: [
            resource(`${ml}:Compute`, { properties: { disableLocalAuth: true, properties: { remoteLoginPortPublicAccess: "Disabled" } } }),
        ],
        bad: [
            {
                what: resource(`${ml}:Compute`, { properties: { properties: { remoteLoginPortPublicAccess: "Enabled" } } }),
                faults: [
                    "properties.disableLocalAuth is not set: set it to true",
                    'properties.properties.remoteLoginPortPublicAccess is "Enabled": set it to "Disabled"',
                ],
            },
        ],
    },
    "registry-no-admin-user": {
        good: [resource("azure-native:containerregistry:Registry", { adminUserEnabled: false, anonymousPullEnabled: false })],
        bad: [
            {
                what: resource("azure-native:containerregistry:Registry", { adminUserEnabled: true, anonymousPullEnabled: false }),
                faults: ["adminUserEnabled is true: set it to false"],
            },
        ],
    },
    "insights-entra": {
        good: [resource("azure-native:applicationinsights:Component", { disableLocalAuth: true })],
        bad: [
            { what: resource("azure-native:applicationinsights:Component", {}), faults: ["disableLocalAuth is not set: set it to true"] },
        ],
    },
};
