/** Previews in the shape of `pulumi preview --json`, as far as a test says what is in them. */
export interface StepOptions {
    readonly op: string;
    /** Token of the type. */
    readonly type: string;
    readonly name: string;
    /** Tokens of the components around it. */
    readonly parents?: readonly string[];
    readonly before?: Record<string, unknown>;
    readonly after?: Record<string, unknown>;
    readonly outputs?: Record<string, unknown>;
    readonly dependencies?: Record<string, readonly string[]>;
    readonly protect?: readonly [before: boolean, after: boolean];
    readonly retained?: boolean;
    readonly leftOver?: boolean;
    readonly replaceReasons?: readonly string[];
    readonly detailedDiff?: Record<string, string>;
}

export const lake = ["player-predictions:lake:Lake"];
export const handlers = ["player-predictions:handlers:Handlers"];

export function urnOf({ type, name, parents = [] }: Pick<StepOptions, "type" | "name" | "parents">): string {
    return `urn:pulumi:dev::player-predictions::${["pulumi:pulumi:Stack", ...parents, type].slice(parents.length === 0 ? 1 : 0).join("$")}::${name}`;
}

export function step(options: StepOptions) {
    const { op, before, after, outputs = {}, dependencies, protect = [false, false], detailedDiff } = options;
    const state = (inputs: Record<string, unknown>, index: 0 | 1) => ({
        urn: urnOf(options),
        type: options.type,
        custom: true,
        inputs,
        outputs,
        protect: protect[index],
        retainOnDelete: options.retained,
        delete: options.leftOver,
        propertyDependencies: dependencies,
    });
    return {
        op,
        urn: urnOf(options),
        oldState: before && state(before, 0),
        newState: after && state(after, 1),
        replaceReasons: options.replaceReasons,
        detailedDiff: detailedDiff && Object.fromEntries(Object.entries(detailedDiff).map(([path, kind]) => [path, { kind, inputDiff: true }])),
    };
}

/** The file's text. */
export function digest(...steps: readonly ReturnType<typeof step>[]): string {
    return JSON.stringify({ steps, changeSummary: {}, duration: 1 });
}
