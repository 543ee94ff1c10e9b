import { z } from "zod";
import { type Action, type Change, NotAPreviewError, type Preview, type ResourceState } from "./change";
import { pathSteps, valueAt } from "./differences";
import { plainSecrets } from "./special";
import { isBookkeeping, parseUrn } from "./urn";

const properties = z.record(z.string(), z.unknown()).nullish();
const texts = z.array(z.string()).nullish();

/** What is read of apitype.ResourceV3. */
const resource = z.object({
    inputs: properties,
    outputs: properties,
    custom: z.boolean().nullish(),
    protect: z.boolean().nullish(),
    delete: z.boolean().nullish(),
    retainOnDelete: z.boolean().nullish(),
    propertyDependencies: z.record(z.string(), texts).nullish(),
});

const step = z.object({
    op: z.string(),
    urn: z.string(),
    oldState: resource.nullish(),
    newState: resource.nullish(),
    diffReasons: texts,
    replaceReasons: texts,
    detailedDiff: z.record(z.string(), z.object({ kind: z.string(), inputDiff: z.boolean().nullish() })).nullish(),
});

/** What is read of display.PreviewDigest (pulumi/pkg/display/json.go). */
export const digestSchema = z.object({
    steps: z.array(step).nullish(),
    changeSummary: z.record(z.string(), z.number()).nullish(),
    diagnostics: z.array(z.object({ message: z.string().nullish(), severity: z.string().nullish() })).nullish(),
});

type Step = z.infer<typeof step>;

/** Reads what `pulumi preview --json` prints. */
export function readDigest({ steps, diagnostics }: z.infer<typeof digestSchema>): Preview {
    const byUrn = new Map<string, Step[]>();
    for (const [index, each] of (steps ?? []).entries()) {
        if (parseUrn(each.urn) === undefined) {
            throw new NotAPreviewError(`steps.${index}.urn is ${JSON.stringify(each.urn)}; expected a URN such as urn:pulumi:dev::project::type::name`);
        }
        // A copy that an interrupted replacement left behind has the URN of the resource itself.
        const key = each.oldState?.delete === true && each.op === "delete" ? `${each.urn}\nleft over` : each.urn;
        byUrn.set(key, [...(byUrn.get(key) ?? []), each]);
    }
    const secrets = plainSecrets((steps ?? []).map(({ oldState, newState }) => [oldState, newState]));
    return {
        source: "preview",
        stack: parseUrn(steps?.[0]?.urn ?? "")?.stack ?? "",
        changes: [...byUrn.values()].map(changeOf).filter((change) => change !== undefined),
        failures: (diagnostics ?? []).filter(({ severity }) => severity === "error").map(({ message }) => message ?? ""),
        secrets,
        identities: identitiesOf(steps ?? []),
    };
}

/** One change out of the steps of a resource: a replacement may be told in three of them, a refresh in one of its own. */
function changeOf(steps: readonly Step[]): Change | undefined {
    const first = steps.find(({ oldState }) => oldState)?.oldState;
    const last = steps.findLast(({ newState }) => newState)?.newState;
    const urn = steps[0]?.urn ?? "";
    const parts = parseUrn(urn);
    const action = actionOf(steps, first?.protect === true && last?.protect !== true);
    if (parts === undefined || action === undefined || isBookkeeping(parts) || (last ?? first)?.custom === false) {
        return undefined;
    }
    const details = steps.flatMap(({ detailedDiff }) => Object.entries(detailedDiff ?? {}));
    const because = steps.flatMap(({ replaceReasons }) => replaceReasons ?? []);
    const remark = remarkOf(steps);
    return {
        urn,
        ...parts,
        action,
        before: action === "create" ? undefined : stateOf(first),
        after: action === "delete" ? undefined : stateOf(last),
        because: exact([...details.filter(([, { kind }]) => kind.endsWith("-replace")).map(([path]) => path), ...because]),
        paths: exact([...details.map(([path]) => path), ...steps.flatMap(({ diffReasons }) => diffReasons ?? [])]),
        ...(remark === undefined ? {} : { remark }),
    };
}

function actionOf(steps: readonly Step[], protectionGoes: boolean): Action | undefined {
    const has = (...ops: readonly string[]): boolean => steps.some(({ op }) => ops.includes(op));
    const created = has("create", "import");
    if (has("replace", "create-replacement", "delete-replaced", "import-replacement") || (created && has("delete"))) {
        return "replace";
    }
    if (created) {
        return "create";
    }
    if (has("delete")) {
        return "delete";
    }
    return has("update") || (has("same") && protectionGoes) ? "update" : undefined;
}

function remarkOf(steps: readonly Step[]): Change["remark"] {
    if (steps.some(({ op, oldState }) => op === "delete" && oldState?.delete === true)) {
        return "left over";
    }
    // Refreshing found nothing there, and the program makes it again.
    return steps.some(({ op }) => op === "delete") && steps.some(({ op }) => op === "create") ? "gone" : undefined;
}

function stateOf(state: Step["oldState"]): ResourceState {
    return {
        inputs: (state?.inputs ?? {}),
        outputs: (state?.outputs ?? {}),
        protect: state?.protect === true,
        retained: state?.retainOnDelete === true,
        dependencies: Object.fromEntries(Object.entries(state?.propertyDependencies ?? {}).map(([name, urns]) => [name, urns ?? []])),
    };
}

/** Paths without those that another one leads to, where it says the same less exactly: `sku` beside `sku.name`. */
function exact(paths: readonly string[]): string[] {
    const all = [...new Set(paths)].sort();
    return all.filter((path) => !all.some((other) => other.startsWith(`${path}.`) || other.startsWith(`${path}[`)));
}

function identitiesOf(steps: readonly Step[]): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const { urn, oldState, newState } of steps) {
        // What is given the id, such as a role assignment, is not the identity.
        for (const state of [oldState, newState].filter((each) => !Object.hasOwn(each?.inputs ?? {}, "principalId"))) {
            for (const path of ["principalId", "identity.principalId"]) {
                const id = valueAt((state?.outputs ?? undefined), pathSteps(path));
                if (typeof id === "string" && id !== "") {
                    found.set(id, urn);
                }
            }
        }
    }
    return found;
}
