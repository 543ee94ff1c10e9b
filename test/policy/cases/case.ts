import type { Registered } from "../judge";

/** What keeps a rule and what breaks it. */
export interface RuleCases {
    readonly good: readonly (Registered | readonly Registered[])[];
    readonly bad: readonly {
        readonly what: Registered | readonly Registered[];
        /** What the rule says, a fault each. */
        readonly faults: readonly string[];
    }[];
    /** @default 1 June 2026 */
    readonly now?: string;
}

/** Cases by the names of the rules. */
export type Cases = Readonly<Record<string, RuleCases>>;

export interface Surroundings {
    /** Types of the components around it. */
    readonly within?: readonly string[];
    readonly protect?: boolean;
    /** Resources that a property's value comes from. */
    readonly sources?: Readonly<Record<string, Registered>>;
}

/** A resource that a program might register. */
export function resource(
    type: string,
    props: Record<string, unknown>,
    { within = [], protect = false, sources = {} }: Surroundings = {},
): Registered {
    const name = type.split(":").at(-1) ?? type;
    return {
        type,
        name,
        urn: `urn:pulumi:dev::player-predictions::${[...within, type].join("$")}::${name}`,
        props,
        protect,
        sources: Object.fromEntries(Object.entries(sources).map(([property, other]) => [property, [other.urn]])),
    };
}
