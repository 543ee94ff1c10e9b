/** Marks of values that JSON has no form for, as the engine writes them: pulumi/sdk/go/common/resource/sig. */
const markKey = "4dabf18193072939515e22adb298388d";
const marks = {
    secret: "1b47061264138c4ac30d75fd1eb44270",
    output: "d0e6a833031e9bbcd3f4e8bde6ca49a4",
    reference: "5cf8f73096256a8f31e491e813e4eb8e",
    bytes: "803fd3297a5875dc03ca845dda5d2a98",
    asset: "c44067f5952c0a294b673a41bacd8c17",
    archive: "0def7320c3a5731c473e5ecbe6d01bc7",
} as const;

const unknowns: ReadonlySet<unknown> = new Set([
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** What `pulumi preview --json` puts in a secret's place. */
const blindedSecret = "[secret]";

export function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is only known once the update has run. */
export function isUnknown(value: unknown): boolean {
    return unknowns.has(value);
}

export function isSecret(value: unknown): boolean {
    if (value === blindedSecret) {
        return true;
    }
    return isRecord(value) && (value[markKey] === marks.secret || (value[markKey] === marks.output && value.secret === true));
}

/** A file, folder or archive: the hash that says whether its content is another. */
export function assetHash(value: unknown): string | undefined {
    if (!isRecord(value) || (value[markKey] !== marks.asset && value[markKey] !== marks.archive)) {
        return undefined;
    }
    return typeof value.hash === "string" ? value.hash : "";
}

/** Whether a value is one of the engine's own forms, to be shown whole. */
export function isMarked(value: unknown): boolean {
    return isRecord(value) && markKey in value;
}

/** The plain texts of the secrets in a value: `--show-secrets` writes them out. */
export function plainSecrets(value: unknown, into = new Set<string>()): Set<string> {
    if (isSecret(value) && isRecord(value)) {
        for (const key of ["plaintext", "value"]) {
            texts(typeof value[key] === "string" ? parsed(value[key]) : value[key], into);
        }
    } else if (typeof value === "object" && value !== null) {
        for (const each of Object.values(value)) {
            plainSecrets(each, into);
        }
    }
    return into;
}

function texts(value: unknown, into: Set<string>): void {
    if (typeof value === "string" || typeof value === "number") {
        into.add(String(value));
    } else if (typeof value === "object" && value !== null) {
        for (const each of Object.values(value)) {
            texts(each, into);
        }
    }
}

/** The value that a JSON text stands for; the text itself where it is none. */
export function parsed(text: string): unknown {
    try {
        return JSON.parse(text) as unknown;
    } catch {
        return text;
    }
}
