import { resource, type Cases } from "./case";

const app = (props: Record<string, unknown>) => resource("azure-native:web:WebApp", props);
const onNode = (version: string) => app({ functionAppConfig: { runtime: { name: "node", version } } });
const policy = (type: "Ftp" | "Scm", allow: boolean) =>
    resource(`azure-native:web:WebApp${type}Allowed`, { allow }, { sources: { name: app({}) } });

export const webCases: Cases = {
    "web-https-only": {
        good: [app({ httpsOnly: true })],
        bad: [{ what: app({}), faults: ["httpsOnly is not set: set it to true"] }],
    },
    "web-tls": {
        good: [app({ siteConfig: { minTlsVersion: "1.2" } })],
        bad: [
            {
                what: app({ siteConfig: { minTlsVersion: "1.1" } }),
                faults: ['siteConfig.minTlsVersion is "1.1": set it to "1.2" or "1.3"'],
            },
            { what: app({}), faults: ['siteConfig.minTlsVersion is not set: set it to "1.2" or "1.3"'] },
        ],
    },
    "web-publishing-settings": {
        good: [[app({}), policy("Ftp", false), policy("Scm", false)]],
        bad: [
            {
                what: app({}),
                faults: [
                    "publishing by password is open: add WebAppFtpAllowed of the app",
                    "publishing by password is open: add WebAppScmAllowed of the app",
                ],
            },
            {
                what: [app({}), policy("Ftp", false), resource("azure-native:web:WebAppScmAllowed", { allow: false, name: "another" })],
                faults: ["publishing by password is open: add WebAppScmAllowed of the app"],
            },
        ],
    },
    "web-no-basic-publishing": {
        good: [policy("Ftp", false), policy("Scm", false)],
        bad: [
            { what: policy("Ftp", true), faults: ["allow is true: set it to false"] },
            { what: resource("azure-native:web:WebAppScmAllowed", {}), faults: ["allow is not set: set it to false"] },
        ],
    },
    "node-supported": {
        now: "2026-11-01T00:00:00Z",
        good: [onNode("24"), app({ functionAppConfig: { runtime: { name: "python", version: "3.12" } } })],
        bad: [
            {
                what: onNode("22"),
                faults: ["Node.js 22 is supported until 2027-04-30, not for 6 more months: set functionAppConfig.runtime.version to 24"],
            },
            {
                what: onNode("20"),
                faults: ["Node.js 20 is supported until 2026-04-30, not for 6 more months: set functionAppConfig.runtime.version to 24"],
            },
            {
                what: onNode("23"),
                faults: ["Node.js 23 is in no table of supported versions: set functionAppConfig.runtime.version to 24"],
            },
        ],
    },
};
