import * as pulumi from "@pulumi/pulumi";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Inputs } from "../cloud/resource-type";

/**
 * Properties as they go between the engine and a provider. Secrets, assets and what is not known yet are marked objects and texts in them, by the marks of the SDK:
 * https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
 */
export type Wire = Readonly<Record<string, unknown>>;

const { specialSigKey: signature, specialSecretSig: secretSignature, specialAssetSig, specialArchiveSig } = pulumi.runtime;
const assetSignatures: readonly unknown[] = [specialAssetSig, specialArchiveSig];

/** A text, in preview, whose value will be known after the update. */
export const unknownText = pulumi.runtime.unknownValue;

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
