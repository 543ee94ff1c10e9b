import { withoutVersion } from "../infra/type-tokens";
import * as urns from "../infra/urn";

/** A resource's URN, as far as a review speaks of it. */
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
    const parsed = urns.parseUrn(urn);
    if (parsed === undefined) {
        return undefined;
    }
    const { stack, types, name } = parsed;
    const part = types.map((each) => component.exec(each)?.[1]).find((each) => each !== undefined);
    return { stack, type: withoutVersion(types.at(-1) ?? ""), name, part };
}

/** Whether a type is the program's or the engine's own bookkeeping, with nothing behind it in a cloud. */
export function isBookkeeping({ type, name }: Urn): boolean {
    return component.test(type) || type.startsWith("pulumi:pulumi:") || (type.startsWith("pulumi:providers:") && name.startsWith("default"));
}
