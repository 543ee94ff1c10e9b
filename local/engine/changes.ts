import { isDeepStrictEqual } from "node:util";
import { isReplacedBy, type TypeRule } from "../cloud/replacement";
import { assetHash, isObject, unwrapped, visible, type Wire } from "./wire";

/** One input, or a part of one, that is another than before. */
export interface Change {
    /** Such as `siteConfig.appSettings[3].value`. */
    readonly path: string;
    readonly kind: "add" | "delete" | "update";
    readonly replaces: boolean;
}

/** Compares the inputs of a resource with those of before, as deep as both have the same shape. */
export function changesOf(rule: TypeRule, before: Wire, after: Wire): Change[] {
    return compareObjects("", visible(before), visible(after)).map((change) => ({ ...change, replaces: isReplacedBy(rule, change.path) }));
}

/** The inputs that a change is in. */
export function inputOf({ path }: Change): string {
    return /^[^.[]+/.exec(path)?.[0] ?? path;
}

type PlainChange = Omit<Change, "replaces">;

function compareObjects(base: string, before: Wire, after: Wire): PlainChange[] {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => compare(base + segment(key, base === ""), before[key], after[key]));
}

function segment(key: string, first: boolean): string {
    if (!/^\w+$/.test(key)) {
        return `["${key.replaceAll('"', '\\"')}"]`;
    }
    return first ? key : `.${key}`;
}

function compare(path: string, marked: unknown, markedAfter: unknown): PlainChange[] {
    const [before, after] = [unwrapped(marked), unwrapped(markedAfter)];
    if (before === undefined || before === null) {
        return after === undefined || after === null ? [] : [{ path, kind: "add" }];
    }
    if (after === undefined || after === null) {
        return [{ path, kind: "delete" }];
    }
    if (assetHash(before) !== undefined || assetHash(after) !== undefined) {
        return assetHash(before) === assetHash(after) ? [] : [{ path, kind: "update" }];
    }
    if (isObject(before) && isObject(after)) {
        return compareObjects(path, before, after);
    }
    if (Array.isArray(before) && Array.isArray(after)) {
        const length = Math.max(before.length, after.length);
        return Array.from({ length }).flatMap((_, index) => compare(`${path}[${index}]`, before[index], after[index]));
    }
    return isDeepStrictEqual(before, after) ? [] : [{ path, kind: "update" }];
}
