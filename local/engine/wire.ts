import * as pulumi from "@pulumi/pulumi";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Inputs } from "../cloud/resource-type";

/**
 * Properties as they go between the engine and a provider. Secrets, assets and what is not known yet are marked objects and texts in them:
 * https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
 */
export type Wire = Readonly<Record<string, unknown>>;

const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const assetSignatures: readonly unknown[] = ["c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"];

/** A text, in preview, whose value will be known after the update. */
export const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isObject(value: unknown): value is Wire {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is inside a secret's mark; other values as they are. */
export function unwrapped(value: unknown): unknown {
    return isObject(value) && value[signature] === secretSignature ? value.value : value;
}

/** The hash of an asset's or archive's content; undefined for other values. */
export function assetHash(value: unknown): unknown {
    return isObject(value) && assetSignatures.includes(value[signature]) ? (value.hash ?? value.path) : undefined;
}

export function fromStruct(struct: Struct | undefined): Wire {
    return struct?.toJavaScript() ?? {};
}

/** Keys without a value are left out. */
export function toStruct(wire: Wire): Struct {
    return Struct.fromJavaScript(JSON.parse(JSON.stringify(wire)) as Parameters<typeof Struct.fromJavaScript>[0]);
}

/** Inputs as a realisation takes them: assets as the program gave them, secrets still marked. */
export function inputsOf(wire: Wire): Inputs {
    // Of an asset that is not to be uploaded the engine tells the hash alone, which the SDK does not take for one.
    const contents = Object.entries(visible(wire)).filter(([, value]) => assetHash(value) === undefined || hasContent(value as Wire));
    return pulumi.runtime.deserializeProperties(toStruct(Object.fromEntries(contents)));
}

function hasContent({ path, text, uri, assets }: Wire): boolean {
    return [path, text, uri, assets].some((each) => each !== undefined);
}

/** Without what a provider notes for itself among the inputs. */
export function visible(wire: Wire): Wire {
    return Object.fromEntries(Object.entries(wire).filter(([key]) => !key.startsWith("__")));
}

/** State as `pulumi stack export --show-secrets` writes it has secrets as JSON in plain text: puts them as the wire has them. */
export function fromState(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(fromState);
    }
    if (!isObject(value)) {
        return value;
    }
    if (value[signature] === secretSignature && typeof value.plaintext === "string") {
        return { [signature]: secretSignature, value: fromState(JSON.parse(value.plaintext)) };
    }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fromState(each)]));
}
