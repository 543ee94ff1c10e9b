import { checks, expects, type Rule } from "../rule";

const app = "azure-native:web:WebApp";

/** The two ways to publish with a user name and a password; each is open unless a resource of its own says otherwise. */
const publishing = ["azure-native:web:WebAppFtpAllowed", "azure-native:web:WebAppScmAllowed"] as const;

export const webRules: readonly Rule[] = [
    {
        name: "web-https-only",
        description: "Apps answer over HTTPS alone.",
        check: checks({ [app]: expects({ httpsOnly: [true] }) }),
    },
    {
        name: "web-tls",
        description: "Apps are reached over TLS 1.2 or later alone.",
        check: checks({ [app]: expects({ "siteConfig.minTlsVersion": ["1.2", "1.3"] }) }),
    },
    {
        name: "web-no-basic-publishing",
        description: "Nobody publishes to an app with a user name and a password.",
        checkStack: (resources) =>
            resources.filter(({ type }) => type === app).flatMap((resource) =>
                publishing
                    .filter((policy) => !resources.some((each) => each.type === policy && each.comesFrom("name", resource) && each.props.allow === false))
                    .map((policy) => ({ resource, fault: `publishing by password is open: add ${policy.split(":")[2] ?? policy} of the app with allow set to false` })),
            ),
    },
];
