import { parseUrn } from "../urn";

/** A resource as rules see it: as the program asks for it, before anything has answered. */
export interface RuleResource {
    /** Type token without an API version, such as `azure-native:storage:StorageAccount`. */
    readonly type: string;
    /** The program's name for it. */
    readonly name: string;
    readonly urn: string;
    readonly props: Readonly<Record<string, unknown>>;
    readonly protect: boolean;
}

/** A resource among the others of its stack. */
export interface StackResource extends RuleResource {
    /** Whether the value of a property comes from another resource. */
    readonly comesFrom: (property: string, other: RuleResource) => boolean;
}

/** What is wrong, and what to change. */
export type Fault = string;

interface Described {
    /** Lower-case words with hyphens, the part first. */
    readonly name: string;
    /** One sentence: what must be, and why. */
    readonly description: string;
}

/** A rule that one resource keeps or breaks by itself: looked at before the resource is made. */
export interface ResourceRule extends Described {
    readonly check: (resource: RuleResource) => readonly Fault[];
}

/** A rule about resources that belong together: looked at when all are known. */
export interface StackRule extends Described {
    readonly checkStack: (resources: readonly StackResource[]) => readonly { readonly resource: RuleResource; readonly fault: Fault }[];
}

export type Rule = ResourceRule | StackRule;

/** A value inside a value; undefined where there is none. */
export function at(value: unknown, path: string): unknown {
    return path.split(".").reduce((inner: unknown, key) => (inner as Readonly<Record<string, unknown>> | null | undefined)?.[key], value);
}

/** The items of a list; none where there is no list. */
export function items(value: unknown): readonly unknown[] {
    return Array.isArray(value) ? value : [];
}

/** A text; empty where there is none. */
export function textOf(value: unknown): string {
    return typeof value === "string" ? value : "";
}

/** A rule's check that looks at some types of resources alone. */
export function checks(byType: Readonly<Record<string, (resource: RuleResource) => readonly Fault[]>>): ResourceRule["check"] {
    return (resource) => byType[resource.type]?.(resource) ?? [];
}

type Value = string | number | boolean;

/** The check that each of these properties, by its path, has one of the values. A property that is not set has none of them. */
export function expects(allowed: Readonly<Record<string, readonly [Value, ...Value[]]>>): (resource: RuleResource) => readonly Fault[] {
    return ({ props }) =>
        Object.entries(allowed).flatMap(([path, values]) => {
            const value = at(props, path);
            return values.some((each) => each === value)
                ? []
                : [`${path} is ${shown(value)}: set it to ${values.map(shown).join(" or ")}`];
        });
}

function shown(value: unknown): string {
    return value === undefined ? "not set" : JSON.stringify(value);
}

/** Whether an error says that a value was read which a preview does not know yet, as it comes from a resource that is not there. */
export function isUnknownValue(error: unknown): boolean {
    // The class is in the SDK and not in its types.
    return error instanceof Error && "unknownTypeSentinel" in error;
}

/** Whether a resource is inside a component of this type. */
export function isWithin({ urn }: RuleResource, componentType: string): boolean {
    return parseUrn(urn)?.types.slice(0, -1).includes(componentType) ?? false;
}
