import { withoutVersion } from "../infra/type-tokens";

/** A resource's URN taken apart: `urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>`. */
export interface Urn {
    readonly stack: string;
    /** Without an API version that the token states. */
    readonly type: string;
    readonly name: string;
    readonly part: string | undefined;
}

/** Components of the program: `player-predictions:<part>:<class>`. */
const component = /^player-predictions:([a-z][a-z-]*):/;

/** @returns undefined where the text is no URN */
export function parseUrn(urn: string): Urn | undefined {
    const groups = /^urn:pulumi:(?<stack>[^:]+)::[^:]+::(?<types>(?:(?!::).)+)::(?<name>.+)$/s.exec(urn)?.groups;
    const types = groups?.types?.split("$");
    const type = types?.at(-1);
    if (groups?.stack === undefined || groups.name === undefined || types === undefined || type === undefined) {
        return undefined;
    }
    const part = types.map((each) => component.exec(each)?.[1]).find((each) => each !== undefined);
    return { stack: groups.stack, type: withoutVersion(type), name: groups.name, part };
}

/** Whether a type is the program's or the engine's own bookkeeping, with nothing behind it in a cloud. */
export function isBookkeeping({ type, name }: Urn): boolean {
    return component.test(type) || type.startsWith("pulumi:pulumi:") || (type.startsWith("pulumi:providers:") && name.startsWith("default"));
}
