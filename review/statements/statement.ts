import type { Preview, ResourceState } from "../change";
import type { Show } from "../values";

/** Under which heading a statement is told. */
export type Topic = "access" | "network" | "schedule";

/** One thing that a resource says about who may do what, from where, and when; Markdown throughout. */
export interface Statement {
    readonly topic: Topic;
    /** What it is about: statements of one thing before and after are told as one change. */
    readonly about: string;
    /** What holds. */
    readonly says: string;
    /**
     * `holds`: begins or ends to be so, told with `begins` and `ends`.
     * `is`: a setting with a value, told from -> to.
     */
    readonly kind: { readonly holds: { readonly begins: string; readonly ends: string } } | "is";
    /** Whether it is the safe state, which is not worth a word on something new. */
    readonly safe?: boolean;
}

/** A resource in one of its states, with what is needed to speak of it. */
export interface Described {
    readonly type: string;
    readonly name: string;
    readonly state: ResourceState;
    readonly identities: Preview["identities"];
    readonly show: Show;
}

/** What a resource states; empty where it has no say in the matter. */
export type Describe = (resource: Described) => Statement[];

export const gains = { holds: { begins: "gains", ends: "loses" } } as const;
export const opens = { holds: { begins: "opens", ends: "closes" } } as const;
export const runs = { holds: { begins: "now runs as", ends: "no longer runs as" } } as const;
export const trusts = { holds: { begins: "now trusts", ends: "no longer trusts" } } as const;
