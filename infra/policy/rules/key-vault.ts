import { checks, expects, type Rule } from "../rule";

const vault = "azure-native:keyvault:Vault";

export const keyVaultRules: readonly Rule[] = [
    {
        name: "vault-rbac",
        description: "Access to a vault is by roles, which are given and seen in one place; access policies of its own are not used.",
        check: checks({ [vault]: expects({ "properties.enableRbacAuthorization": [true] }) }),
    },
    {
        name: "vault-purge-protection",
        description: "What is deleted from a vault, or with it, can be had back.",
        check: checks({ [vault]: expects({ "properties.enablePurgeProtection": [true], "properties.enableSoftDelete": [true] }) }),
    },
];
