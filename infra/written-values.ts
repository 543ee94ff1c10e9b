import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { projectDir } from "./content";
import { fullKey } from "./setting-faults";

/**
 * Values that begin as numbers and stand without quotes in a stack's file, by full key, as they are written there. YAML reads numbers and dates
 * for what they are worth, and the engine hands over what is left: `1.10` as 1.1, `0123` as 83, `1e3` as 1000.
 */
export function writtenNumbers(stack: string, dir: string = projectDir): ReadonlyMap<string, string> {
    return new Map([...valuesIn(stack, dir)].filter(([, written]) => /^[-+.]?\d/.test(written)));
}

/** Keys that have a value in a stack's file, but for encrypted ones, by full key. */
export function writtenInPlain(stack: string, dir: string = projectDir): ReadonlySet<string> {
    return new Set([...valuesIn(stack, dir)].filter(([, written]) => !/^(?:""|'')?$/.test(written)).map(([key]) => key));
}

/** What stands on the line of each key: nothing where the value is encrypted, which is a mapping on the lines below. */
function valuesIn(stack: string, dir: string): Map<string, string> {
    const file = path.join(dir, `Pulumi.${stack}.yaml`);
    const lines = existsSync(file) ? readFileSync(file, "utf8").matchAll(/^ +(?<key>[\w-]+(?::[\w-]+)?):(?: +(?<written>[^#\r\n]*?))? *(?:#.*)?\r?$/gm) : [];
    return new Map([...lines].map(({ groups: { key = "", written = "" } = {} }) => [fullKey(key), written]));
}
