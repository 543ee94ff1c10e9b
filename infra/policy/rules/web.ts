import { checks, expects, type Rule } from "../rule";

const app = "azure-native:web:WebApp";

/** What closes the two ways to publish with a user name and a password. */
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
        name: "web-publishing-settings",
        description:
            "Each app states that nobody publishes to it with a user name and a password, by FTP or by the SCM site: both are open otherwise.",
        checkStack: (resources) =>
            resources
                .filter(({ type }) => type === app)
                .flatMap((resource) =>
                    publishing
                        .filter((type) => !resources.some((each) => each.type === type && each.comesFrom("name", resource)))
                        .map((type) => ({
                            resource,
                            fault: `publishing by password is open: add ${type.split(":")[2] ?? type} of the app`,
                        })),
                ),
    },
    {
        name: "web-no-basic-publishing",
        description: "Nobody publishes to an app with a user name and a password.",
        check: checks(Object.fromEntries(publishing.map((type) => [type, expects({ allow: [false] })]))),
    },
];
