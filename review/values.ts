import { codeSpan } from "./markdown";
import { isKeyVaultReference, isSecretName, secretMask } from "./secrets";
import { assetHash, isMarked, isRecord, isSecret, isUnknown, parsed } from "./special";

/** Turns texts and values of the file into Markdown that gives away no secret and does nothing but show. */
export interface Show {
    /** A name, an address, a message. */
    readonly text: (text: string) => string;
    /** A property's value. @param path names that lead to it, of which one may say that it is a secret */
    readonly value: (value: unknown, path: readonly string[]) => string;
    /** Several things, with only so many of them named. */
    readonly list: (items: readonly string[], most?: number) => string;
}

export function showing(secrets: ReadonlySet<string>): Show {
    const mask = secretMask(secrets);
    const text = (plain: string): string => codeSpan(mask(plain));
    const value = (of: unknown, path: readonly string[]): string => {
        if (of === undefined) {
            return "*nothing*";
        }
        if (isUnknown(of)) {
            return "*known after the update*";
        }
        if (isSecret(of)) {
            return "*secret*";
        }
        if (typeof of !== "boolean" && of !== null && of !== "" && path.some(isSecretName) && !(typeof of === "string" && isKeyVaultReference(of))) {
            return "*masked*";
        }
        const hash = assetHash(of);
        if (hash !== undefined) {
            return hash === "" ? "*a file*" : `*a file with hash* ${text(hash.slice(0, 12))}`;
        }
        const inner = typeof of === "string" && /^\s*[{[]/.test(of) ? parsed(of) : of;
        return text(typeof inner === "string" ? inner : JSON.stringify(withoutSecrets(inner, mask)));
    };
    return { text, value, list: listOf };
}

function listOf(items: readonly string[], most = 20): string {
    const more = items.length - most;
    return more <= 0 ? items.join(", ") : `${items.slice(0, most).join(", ")} and ${more} more`;
}

/** A value as it may be shown whole, its keys in order. */
function withoutSecrets(value: unknown, mask: (text: string) => string): unknown {
    if (isSecret(value)) {
        return "(secret)";
    }
    if (isUnknown(value)) {
        return "(known after the update)";
    }
    if (isMarked(value)) {
        return `(${assetHash(value) === undefined ? "a value of the engine" : "a file"})`;
    }
    if (Array.isArray(value)) {
        return value.map((each) => withoutSecrets(each, mask));
    }
    if (isRecord(value)) {
        return Object.fromEntries(
            Object.entries(value)
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([key, each]) => [mask(key), isSecretEntry(key, value) && typeof each !== "boolean" ? "(masked)" : withoutSecrets(each, mask)]),
        );
    }
    return typeof value === "string" ? mask(value) : value;
}

/** Whether an entry is a secret by its key, or is the value of a pair whose name says so. */
function isSecretEntry(key: string, pair: Record<string, unknown>): boolean {
    return isSecretName(key) || (key === "value" && typeof pair.name === "string" && isSecretName(pair.name));
}
