import { Cron } from "croner";
import { BlockList, isIPv4 } from "node:net";
import { z } from "zod";

/** A text of a form. `allowed` says which, in words that follow "allowed:". */
export function text(pattern: RegExp, allowed: string) {
    return z.string({ error: allowed }).regex(pattern, allowed);
}

/** An IPv4 address, or empty, which is undefined. */
export function optionalAddress() {
    const allowed = "an IPv4 address, or empty";
    return z
        .string({ error: allowed })
        .refine((value) => value === "" || isIPv4(value), allowed)
        .transform((value) => (value === "" ? undefined : value));
}

const privateRanges = new BlockList();
privateRanges.addSubnet("10.0.0.0", 8);
privateRanges.addSubnet("172.16.0.0", 12);
privateRanges.addSubnet("192.168.0.0", 16);

/** A private IPv4 range of /16 to /24 (RFC 1918), as address and length. */
export function privateRange() {
    const allowed = "a private IPv4 range of /16 to /24 such as 10.40.0.0/22";
    return z.string({ error: allowed }).refine((value) => {
        const [, address = "", length = ""] = /^([\d.]+)\/(1[6-9]|2[0-4])$/.exec(value) ?? [];
        return length !== "" && isIPv4(address) && privateRanges.check(address);
    }, allowed);
}

/** A text of a form, or empty, which is undefined. */
export function optional(pattern: RegExp, allowed: string) {
    return z
        .string({ error: allowed })
        .refine((value) => value === "" || pattern.test(value), allowed)
        .transform((value) => (value === "" ? undefined : value));
}

export function integer(from: number, to: number) {
    const allowed = `a whole number from ${from} to ${to}`;
    return z
        .string({ error: allowed })
        .regex(/^\d{1,9}$/, allowed)
        .transform(Number)
        .refine((value) => value >= from && value <= to, allowed);
}

/** A decimal number above 0. */
export function decimal(to: number) {
    const allowed = `a number above 0 and up to ${to}, such as 0.25`;
    return z
        .string({ error: allowed })
        .regex(/^\d{1,4}(\.\d{1,6})?$/, allowed)
        .transform(Number)
        .refine((value) => value > 0 && value <= to, allowed);
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
    return z.enum(values, { error: `one of ${values.join(", ")}` });
}

export const flag = oneOf(["true", "false"]).transform((value) => value === "true");

/** A list of texts of a form, which the engine hands over as JSON. */
export function list(pattern: RegExp, allowed: string) {
    return z.string({ error: allowed }).transform((value, context): readonly string[] => {
        const parsed = z.array(z.string().regex(pattern)).safeParse(jsonOrUndefined(value));
        if (parsed.success) {
            return parsed.data;
        }
        context.addIssue({ code: "custom", message: allowed });
        return z.NEVER;
    });
}

/** Tags that the program sets. Azure takes a name once, whatever its case. */
const ownTags = ["project", "stack", "profile"];
const tagsAllowed = `a list of name=value texts, such as ["team=data-platform"], each name once and none of ${ownTags.join(", ")}`;

export const tags = z.string({ error: tagsAllowed }).transform((value, context): Record<string, string> => {
    const parsed = z.array(z.string().regex(/^[^=<>%&\\?/\s][^=<>%&\\?/]*=.{0,256}$/)).safeParse(jsonOrUndefined(value));
    const pairs = parsed.data?.map((tag): [string, string] => [tag.slice(0, tag.indexOf("=")), tag.slice(tag.indexOf("=") + 1)]) ?? [];
    const names = [...ownTags, ...pairs.map(([name]) => name.toLowerCase())];
    if (!parsed.success || new Set(names).size < names.length) {
        context.addIssue({ code: "custom", message: tagsAllowed });
        return z.NEVER;
    }
    return Object.fromEntries(pairs);
});

const ncrontabAllowed = "an NCRONTAB expression of six fields (second first), such as 0 15 3 * * *";

export const ncrontab = z.string({ error: ncrontabAllowed }).refine(isNcrontab, ncrontabAllowed);

/** The same or empty, which is undefined. */
export const optionalNcrontab = z
    .string({ error: ncrontabAllowed })
    .refine((value) => value === "" || isNcrontab(value), `${ncrontabAllowed}, or empty`)
    .transform((value) => (value === "" ? undefined : value));

/** The ARM id of a resource of one type, such as `Microsoft.KeyVault/vaults`, or empty. */
export function armId(type: string, what: string) {
    const [namespace = "", ...kinds] = type.split("/");
    const names = kinds.map((kind) => `/${kind}/[^/]+`).join("");
    const pattern = new RegExp(`^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/${namespace.replaceAll(".", "\\.")}${names}$`, "i");
    return optional(pattern, `the ARM id of ${what}, or empty`);
}

/** https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions */
function isNcrontab(expression: string): boolean {
    if (!/^[\dA-Za-z*,/-]+( [\dA-Za-z*,/-]+){5}$/.test(expression)) {
        return false;
    }
    try {
        return new Cron(expression, { paused: true }).nextRun() !== null;
    } catch {
        return false;
    }
}

function jsonOrUndefined(value: string): unknown {
    try {
        return JSON.parse(value);
    } catch {
        return undefined;
    }
}
