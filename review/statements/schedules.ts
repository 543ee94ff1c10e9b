import cronstrue from "cronstrue";
import { isRecord } from "../special";
import { subjectOf } from "../words";
import type { Described, Statement } from "./statement";

/** What the settings of the handlers' timers end with; before it is the function's name. */
const scheduleSuffix = "_SCHEDULE";

/** When things run by themselves: the handlers' timers, unless they are switched off, and whatever else has a schedule. */
export function schedulesOf(resource: Described): Statement[] {
    const { inputs } = resource.state;
    const about = subjectOf(resource, resource.show);
    const settings = isRecord(inputs.siteConfig) && Array.isArray(inputs.siteConfig.appSettings) ? (inputs.siteConfig.appSettings as unknown[]) : [];
    const named = settings.filter(isRecord).filter((setting): setting is { name: string; value: unknown } => typeof setting.name === "string");
    const timers = named.filter(({ name }) => name.endsWith(scheduleSuffix));
    // As the host reads it: https://learn.microsoft.com/azure/azure-functions/disable-function
    const disabled = new Set(named.filter(({ name, value }) => /^AzureWebJobs\.\w+\.Disabled$/.test(name) && /^(true|1)$/i.test(String(value))).map(({ name }) => name.split(".")[1]));
    const own = ["schedule", "scheduleExpression", "cronExpression"].filter((key) => inputs[key] !== undefined);
    return [
        ...timers.map(({ name, value }) => {
            const place = `${about}: ${resource.show.text(name)}`;
            const isDisabled = disabled.has(name.slice(0, -scheduleSuffix.length).toLowerCase());
            return isDisabled ? ({ topic: "schedule", about: place, says: "off: it does not run by itself", kind: "is" } as const) : scheduled(place, value, resource);
        }),
        ...own.map((key) => scheduled(`${about}: ${resource.show.text(key)}`, inputs[key], resource)),
    ];
}

function scheduled(about: string, value: unknown, { show }: Described): Statement {
    const words = typeof value === "string" ? inWords(value) : undefined;
    return { topic: "schedule", about, says: `${show.value(value, [])}${words === undefined ? "" : ` (${words})`}`, kind: "is" };
}

/** @returns undefined for what is no cron expression */
function inWords(expression: string): string | undefined {
    // Nothing but what an expression is made of: the words repeat parts of it.
    if (!/^[\dA-Za-z*,/# -]{9,80}$/.test(expression)) {
        return undefined;
    }
    try {
        const words = cronstrue.toString(expression, { use24HourTimeFormat: true, verbose: true });
        return /^[A-Za-z0-9:, ]+$/.test(words) ? `${words.charAt(0).toLowerCase()}${words.slice(1)}, UTC` : undefined;
    } catch {
        return undefined;
    }
}
