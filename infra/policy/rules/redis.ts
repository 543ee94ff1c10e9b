import { checks, expects, type Rule } from "../rule";

export const redisRules: readonly Rule[] = [
    {
        name: "redis-no-access-keys",
        description: "Redis takes Entra identities alone. To be set at creation: switching it later drops every connection.",
        check: checks({ "azure-native:redisenterprise:Database": expects({ accessKeysAuthentication: ["Disabled"] }) }),
    },
    {
        name: "redis-tls",
        description: "Redis is reached over TLS 1.2 or later alone.",
        check: checks({
            "azure-native:redisenterprise:RedisEnterprise": expects({ minimumTlsVersion: ["1.2"] }),
            "azure-native:redisenterprise:Database": expects({ clientProtocol: ["Encrypted"] }),
        }),
    },
];
