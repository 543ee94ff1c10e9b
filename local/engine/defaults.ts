import { createHash } from "node:crypto";
import type { TypeRule } from "../cloud/replacement";
import type { Wire } from "./wire";

/** azure-native notes here that the name is its own, so that another can stand beside it while the resource is replaced. */
const createBeforeDelete = "__createBeforeDelete";

/** What a check knows of the resource. */
export interface Checked {
    readonly urn: string;
    /** Logical name. */
    readonly name: string;
    /** The engine's: the same in a preview and in the update of its plan. */
    readonly randomSeed: Uint8Array;
    /** Inputs of before, with the defaults that they got; empty for a resource that is new or is replaced. */
    readonly before: Wire;
    readonly inputs: Wire;
    /** Of the provider's configuration. */
    readonly location: string | undefined;
}

/** Fills in what the program leaves to the provider: a name, kept for as long as the resource is, and the location. */
export function withDefaults(rule: TypeRule, checked: Checked): Wire {
    const { before, inputs, location } = checked;
    const { nameInput, naming, located } = rule;
    const filled: Record<string, unknown> = { ...inputs };
    if (nameInput !== undefined && naming !== "none" && inputs[nameInput] === undefined) {
        const kept = before[nameInput];
        filled[nameInput] = kept ?? automaticName(naming, checked);
        if (kept === undefined ? naming !== "copy" : before[createBeforeDelete] === true) {
            filled[createBeforeDelete] = true;
        }
    }
    if (located && inputs.location === undefined) {
        const place = before.location ?? location;
        if (place !== undefined) {
            filled.location = place;
        }
    }
    return filled;
}

/** A resource that has a name of the program's choice cannot stand beside the one that replaces it. */
export function deletesFirst({ nameInput }: TypeRule, before: Wire): boolean {
    return nameInput !== undefined && before[createBeforeDelete] !== true;
}

function automaticName(naming: TypeRule["naming"], { urn, name, randomSeed }: Checked): string {
    const hex = createHash("sha256").update(randomSeed).update(urn).digest("hex");
    switch (naming) {
        case "guid":
            return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
        case "random":
            return `${name}${hex.slice(0, 8)}`;
        case "copy":
        case "none":
            return name;
    }
}
