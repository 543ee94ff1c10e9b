import { at, checks, type Rule } from "../rule";

/** The last day of each version's support: https://github.com/nodejs/release#release-schedule */
const endOfLife: Readonly<Record<string, string>> = { "20": "2026-04-30", "22": "2027-04-30", "24": "2028-04-30" };

/** How much longer a version has to be supported: enough to move the handlers to the next one. */
const months = 6;

/** @param now the present */
export function nodeRules(now: Date): readonly Rule[] {
    return [
        {
            name: "node-supported",
            description: `The handlers' Node.js is supported for ${months} more months.`,
            check: checks({
                "azure-native:web:WebApp": ({ props }) => {
                    const name = at(props, "functionAppConfig.runtime.name");
                    if (name !== "node") {
                        return [];
                    }
                    const version = String(at(props, "functionAppConfig.runtime.version"));
                    const end = endOfLife[version];
                    const supported = Object.keys(endOfLife).filter((each) => lasts(endOfLife[each] ?? "", now));
                    const remedy = `set functionAppConfig.runtime.version to ${supported.length > 0 ? supported.join(" or ") : "a newer one, and add it to the table in infra/policy/rules/node.ts"}`;
                    if (end === undefined) {
                        return [`Node.js ${version} is in no table of supported versions: ${remedy}`];
                    }
                    return lasts(end, now) ? [] : [`Node.js ${version} is supported until ${end}, not for ${months} more months: ${remedy}`];
                },
            }),
        },
    ];
}

function lasts(end: string, now: Date): boolean {
    const until = new Date(now);
    until.setUTCMonth(until.getUTCMonth() + months);
    return until <= new Date(`${end}T23:59:59Z`);
}
