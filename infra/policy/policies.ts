import type { Policies, ReportViolation, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { withoutVersion } from "../type-tokens";
import { isUnknownValue, type ResourceRule, type Rule, type RuleResource, type StackRule } from "./rule";

/** What a policy is told of a resource, alone or in its stack. */
interface PolicyArgs {
    readonly type: string;
    readonly name: string;
    readonly urn: string;
    // Not copied: reading a value that is not known yet ends a policy with a word about it.
    readonly props: Record<string, unknown>;
    readonly opts: { readonly protect: boolean };
}

/** The rules as the engine's policies. */
export function policiesOf(rules: readonly Rule[]): Policies {
    return rules.map((rule) => ("check" in rule ? resourcePolicy(rule) : stackPolicy(rule)));
}

function resourcePolicy({ name, description, check }: ResourceRule): ResourceValidationPolicy {
    return {
        name,
        description,
        validateResource: (args, report: ReportViolation) =>
            whereKnown(args, () => check(resourceOf(args))).forEach((fault) => report(fault)),
    };
}

function stackPolicy({ name, description, checkStack }: StackRule): StackValidationPolicy {
    return {
        name,
        description,
        validateStack: (args, report) => {
            const resources = args.resources.map((each) => ({
                ...resourceOf(each),
                comesFrom: (property: string, other: RuleResource) =>
                    each.propertyDependencies[property]?.some((dependency) => dependency.urn === other.urn) ?? false,
            }));
            whereKnown(args, () => checkStack(resources)).forEach(({ resource, fault }) => report(fault, resource.urn));
        },
    };
}

/** Some values are not known in a preview. The update looks at them, before it makes the resource; until then there is nothing to say. */
function whereKnown<T>(args: { notApplicable(reason: string): never }, check: () => T): T {
    try {
        return check();
    } catch (error) {
        if (isUnknownValue(error)) {
            return args.notApplicable("a value is not known before the update");
        }
        throw error;
    }
}

function resourceOf({ type, name, urn, props, opts }: PolicyArgs): RuleResource {
    return { type: withoutVersion(type), name, urn, props, protect: opts.protect };
}
