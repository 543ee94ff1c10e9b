import { z } from "zod";
import { type Action, type Change, NotAPreviewError, type Preview, type ResourceState } from "./change";
import { plainSecrets } from "./special";
import { isBookkeeping, parseUrn } from "./urn";

const properties = z.record(z.string(), z.unknown()).nullish();
const texts = z.array(z.string()).nullish();

const resourcePlan = z.object({
    goal: z
        .object({
            custom: z.boolean().nullish(),
            protect: z.boolean().nullish(),
            inputDiff: z.object({ adds: properties, updates: properties, deletes: texts }).nullish(),
            propertyDependencies: z.record(z.string(), texts).nullish(),
        })
        .nullish(),
    steps: texts,
});

/** What is read of apitype.DeploymentPlanV1 (pulumi/sdk/go/common/apitype/plan.go). */
export const planSchema = z.object({ resourcePlans: z.record(z.string(), resourcePlan) });

type ResourcePlan = z.infer<typeof resourcePlan>;

/** Reads what `pulumi preview --save-plan` writes: the inputs that change with their values after the update, and nothing of those before. */
export function readPlan({ resourcePlans }: z.infer<typeof planSchema>): Preview {
    const urns = Object.keys(resourcePlans);
    return {
        source: "plan",
        stack: parseUrn(urns[0] ?? "")?.stack ?? "",
        changes: Object.entries(resourcePlans)
            .map(([urn, plan]) => changeOf(urn, plan))
            .filter((change) => change !== undefined),
        failures: [],
        secrets: plainSecrets(resourcePlans),
        identities: new Map(),
    };
}

function changeOf(urn: string, { goal, steps }: ResourcePlan): Change | undefined {
    const parts = parseUrn(urn);
    if (parts === undefined) {
        throw new NotAPreviewError(`resourcePlans has the key ${JSON.stringify(urn)}; expected a URN such as urn:pulumi:dev::project::type::name`);
    }
    const action = actionOf(steps ?? []);
    if (action === undefined || isBookkeeping(parts) || goal?.custom === false) {
        return undefined;
    }
    const { adds, updates, deletes } = goal?.inputDiff ?? {};
    const after: ResourceState = {
        inputs: { ...adds, ...updates },
        outputs: {},
        protect: goal?.protect === true,
        retained: false,
        dependencies: Object.fromEntries(Object.entries(goal?.propertyDependencies ?? {}).map(([name, on]) => [name, on ?? []])),
    };
    const paths = [...Object.keys(adds ?? {}), ...Object.keys(updates ?? {}), ...(deletes ?? [])].sort();
    return { urn, ...parts, action, before: undefined, after: action === "delete" ? undefined : after, because: [], paths };
}

function actionOf(steps: readonly string[]): Action | undefined {
    const has = (...ops: readonly string[]): boolean => steps.some((op) => ops.includes(op));
    if (has("replace", "create-replacement", "delete-replaced", "import-replacement")) {
        return "replace";
    }
    if (has("create", "import")) {
        return has("delete") ? "replace" : "create";
    }
    return has("delete") ? "delete" : has("update") ? "update" : undefined;
}
