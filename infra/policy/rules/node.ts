import { at, checks, type Fault, type Rule } from "../rule";

/** The last day of each version's support: https://github.com/nodejs/release#release-schedule */
const endOfLife: ReadonlyMap<string, string> = new Map([
    ["20", "2026-04-30"],
    ["22", "2027-04-30"],
    ["24", "2028-04-30"],
]);

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
                    const runtime = at(props, "functionAppConfig.runtime");
                    return at(runtime, "name") === "node" ? versionFaults(String(at(runtime, "version")), now) : [];
                },
            }),
        },
    ];
}

function versionFaults(version: string, now: Date): Fault[] {
    const end = endOfLife.get(version);
    if (end !== undefined && lasts(end, now)) {
        return [];
    }
    const supported = [...endOfLife.keys()].filter((each) => lasts(endOfLife.get(each) ?? "", now));
    const state = end === undefined ? "is in no table of supported versions" : `is supported until ${end}, not for ${months} more months`;
    const another = supported.length > 0 ? supported.join(" or ") : "a newer one, and add it to the table in infra/policy/rules/node.ts";
    return [`Node.js ${version} ${state}: set functionAppConfig.runtime.version to ${another}`];
}

function lasts(end: string, now: Date): boolean {
    const until = new Date(now);
    until.setUTCMonth(until.getUTCMonth() + months);
    return until <= new Date(`${end}T23:59:59Z`);
}
