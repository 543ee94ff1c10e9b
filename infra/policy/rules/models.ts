import { checks, expects, type Rule } from "../rule";

const ml = "azure-native:machinelearningservices";

export const modelRules: readonly Rule[] = [
    {
        name: "ml-workspace-identity",
        description: "The workspace reads its storage under identities: it keeps no key of it, and its datastores none.",
        check: checks({
            [`${ml}:Workspace`]: expects({ systemDatastoresAuthMode: ["Identity"], "identity.type": ["SystemAssigned", "UserAssigned"] }),
            [`${ml}:Datastore`]: expects({ "properties.credentials.credentialsType": ["None"] }),
        }),
    },
    {
        name: "ml-endpoint-entra",
        description: "The models' endpoints take Entra tokens alone.",
        check: checks({
            [`${ml}:OnlineEndpoint`]: expects({ "properties.authMode": ["AADToken"] }),
            [`${ml}:BatchEndpoint`]: expects({ "properties.authMode": ["AADToken"] }),
        }),
    },
    {
        name: "ml-compute-no-local-user",
        description: "Nobody signs in to a node of the cluster with a key or a password.",
        check: checks({
            [`${ml}:Compute`]: expects({
                "properties.disableLocalAuth": [true],
                "properties.properties.remoteLoginPortPublicAccess": ["Disabled"],
            }),
        }),
    },
    {
        name: "registry-no-admin-user",
        description: "Images are pulled and pushed under identities: the registry has no admin user.",
        check: checks({ "azure-native:containerregistry:Registry": expects({ adminUserEnabled: [false], anonymousPullEnabled: [false] }) }),
    },
    {
        name: "insights-entra",
        description: "Telemetry is taken from identities alone, so that its connection string is an address and no key.",
        check: checks({ "azure-native:applicationinsights:Component": expects({ disableLocalAuth: [true] }) }),
    },
];
