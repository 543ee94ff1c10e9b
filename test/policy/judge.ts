import type { PolicyResource, ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import { policiesOf } from "../../infra/policy/policies";
import { rules } from "../../infra/policy/rules";

/** A resource as a program registers it. */
export interface Registered {
    readonly type: string;
    readonly name: string;
    readonly urn: string;
    readonly props: Record<string, unknown>;
    readonly protect: boolean;
    /** By property: URNs of the resources that its value comes from. */
    readonly sources: Readonly<Record<string, readonly string[]>>;
}

/** A policy that was broken. */
export interface Violation {
    readonly policy: string;
    /** Name of the resource. */
    readonly resource: string;
    readonly fault: string;
}

/** Runs the pack's policies as the engine does: those of one resource over each, those of the stack over all. */
export async function judge(registered: readonly Registered[], now: Date): Promise<Violation[]> {
    const violations: Violation[] = [];
    const args = argumentsOf(registered);
    for (const policy of policiesOf(rules(now))) {
        const report = (resource: string) => (fault: string) => violations.push({ policy: policy.name, resource, fault });
        if ("validateStack" in policy) {
            await policy.validateStack({ resources: args } as unknown as StackValidationArgs, (fault, urn = "") =>
                report(urn.split("::").at(-1) ?? "")(fault),
            );
        } else {
            for (const validate of [policy.validateResource ?? []].flat()) {
                for (const each of args) {
                    await validate(each as unknown as ResourceValidationArgs, report(each.name));
                }
            }
        }
    }
    return violations;
}

function argumentsOf(registered: readonly Registered[]): PolicyResource[] {
    const byUrn = new Map<string, PolicyResource>();
    for (const { type, name, urn, props, protect } of registered) {
        byUrn.set(urn, { type, name, urn, props, opts: { protect }, propertyDependencies: {} } as unknown as PolicyResource);
    }
    for (const { urn, sources } of registered) {
        for (const [property, urns] of Object.entries(sources)) {
            const { propertyDependencies = {} } = byUrn.get(urn) ?? {};
            propertyDependencies[property] = urns.flatMap((each) => byUrn.get(each) ?? []);
        }
    }
    return [...byUrn.values()];
}
