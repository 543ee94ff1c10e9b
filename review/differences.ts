import type { Properties } from "./change";
import { isMarked, isRecord, isSecret, isUnknown, parsed } from "./special";

/** A property that is another than before. */
export interface Difference {
    /** Names that lead to it; items of a list by their own name where they have one, else by their number. */
    readonly path: readonly string[];
    /** Undefined where there was none. */
    readonly from: unknown;
    /** Undefined where there is none any more. */
    readonly to: unknown;
}

/** What differs between two sets of properties, in the order of the names. */
export function differencesOf(before: Properties, after: Properties): Difference[] {
    return compare(before, after, []);
}

function compare(from: unknown, to: unknown, path: readonly string[]): Difference[] {
    const [left, right] = [structured(from), structured(to)];
    if (left !== undefined && right !== undefined) {
        const names = [...new Set([...left.keys(), ...right.keys()])].sort();
        return names.flatMap((name) => compare(left.get(name), right.get(name), [...path, name]));
    }
    return same(from, to) ? [] : [{ path, from, to }];
}

/** The named things in a value that has some. A JSON text, such as a policy, is the value that it stands for. */
function structured(value: unknown): ReadonlyMap<string, unknown> | undefined {
    const inner = typeof value === "string" && /^\s*[{[]/.test(value) ? parsed(value) : value;
    if (isSecret(inner) || isUnknown(inner) || isMarked(inner)) {
        return undefined;
    }
    if (Array.isArray(inner)) {
        return namedItems(inner) ?? new Map(inner.map((item, index) => [String(index), item]));
    }
    // Names of two underscores are the provider's own notes.
    return isRecord(inner) ? new Map(Object.entries(inner).filter(([name]) => !name.startsWith("__"))) : undefined;
}

/** A list of `{name, ...}`, such as app settings: one that is put in before the others changes none of them. */
function namedItems(items: readonly unknown[]): ReadonlyMap<string, unknown> | undefined {
    const named = items.map((item) => {
        if (!isRecord(item) || typeof item.name !== "string") {
            return undefined;
        }
        const { name, ...rest } = item;
        return [name, Object.keys(rest).length === 1 && "value" in rest ? rest.value : rest] as const;
    });
    const map = new Map(named.filter((entry) => entry !== undefined));
    return items.length > 0 && map.size === items.length ? map : undefined;
}

function same(a: unknown, b: unknown): boolean {
    if (isRecord(a) && isRecord(b)) {
        const names = new Set([...Object.keys(a), ...Object.keys(b)]);
        return [...names].every((name) => same(a[name], b[name]));
    }
    return Array.isArray(a) && Array.isArray(b) ? a.length === b.length && a.every((item, index) => same(item, b[index])) : a === b;
}

/** The steps of a property path as the engine writes it: `siteConfig.appSettings[3].value`, `tags["a.b"]`. */
export function pathSteps(path: string): string[] {
    return [...path.matchAll(/\["(?<quoted>(?:[^"\\]|\\.)*)"\]|\[(?<index>\d+)\]|(?<name>[^.[\]]+)/g)].map(
        ({ groups }) => groups?.quoted?.replace(/\\(.)/g, "$1") ?? groups?.index ?? groups?.name ?? "",
    );
}

/** The value at a path; undefined where there is none. A secret hides everything in it. */
export function valueAt(properties: Properties | undefined, steps: readonly string[]): unknown {
    let value: unknown = properties;
    for (const step of steps) {
        if (isSecret(value) || isUnknown(value)) {
            return value;
        }
        if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) {
            return undefined;
        }
        value = (value as Record<string, unknown>)[step];
    }
    return value;
}
