/** A resource's URN taken apart: https://www.pulumi.com/docs/iac/concepts/resources/names/#urns */
export interface Urn {
    readonly stack: string;
    /** Types of the components around it, the outermost first, and at the end its own. */
    readonly types: readonly [string, ...string[]];
    readonly name: string;
}

/** @returns undefined where the text is no URN: `urn:pulumi:<stack>::<project>::<type>$<type>::<name>` */
export function parseUrn(urn: string): Urn | undefined {
    const groups = /^urn:pulumi:(?<stack>[^:]+)::[^:]+::(?<types>(?:(?!::).)+)::(?<name>.+)$/s.exec(urn)?.groups;
    return groups === undefined ? undefined : { stack: groups.stack as string, types: (groups.types as string).split("$") as [string, ...string[]], name: groups.name as string };
}
