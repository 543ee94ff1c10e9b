import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { LocalCloud } from "../cloud/cloud";
import { registrationOf } from "./provider";
import { fromState, type Wire } from "./wire";

const resourceShape = z.looseObject({
    urn: z.string(),
    custom: z.boolean().default(false),
    /** Is to be deleted yet: another took its place. */
    delete: z.boolean().default(false),
    type: z.string(),
    id: z.string().default(""),
    inputs: z.record(z.string(), z.unknown()).default({}),
    outputs: z.record(z.string(), z.unknown()).default({}),
    protect: z.boolean().default(false),
    dependencies: z.array(z.string()).nullish(),
    propertyDependencies: z.record(z.string(), z.array(z.string()).nullable()).nullish(),
});

/** A stack's state as the engine exports it, as far as it is read here. */
export const stateShape = z.looseObject({ resources: z.array(resourceShape).default([]) });

export type State = z.infer<typeof stateShape>;
export type StateResource = z.infer<typeof resourceShape>;

/** A resource of the state that could not be brought back. */
export interface Unrestored {
    readonly urn: string;
    readonly error: unknown;
}

export interface Restored {
    /** The state with the addresses that are true now, where a server had to take another port; undefined when nothing is other than before. */
    readonly corrected: State | undefined;
    readonly failed: readonly Unrestored[];
}

/** The resources that something stands for: no components, providers or those on their way out. */
export function realResources({ resources }: State): StateResource[] {
    return resources.filter((resource) => resource.custom && !resource.delete && !resource.type.startsWith("pulumi:"));
}

/**
 * Has everything run again that the state says is there, each resource after those that it depends on. The engine does not ask for
 * what has not changed, so a process that has nothing running yet must do it by itself.
 */
export async function restore(cloud: LocalCloud, state: State): Promise<Restored> {
    const failed: Unrestored[] = [];
    const done = new Map<string, Promise<boolean>>();
    for (const resource of realResources(state)) {
        // The state lists a resource after those that it depends on.
        const before = dependenciesOf(resource).flatMap((urn) => done.get(urn) ?? []);
        const restored = Promise.all(before).then(() => restoreOne(cloud, resource));
        done.set(
            resource.urn,
            restored.catch((error: unknown) => {
                failed.push({ urn: resource.urn, error });
                return false;
            }),
        );
    }
    const changed = await Promise.all(done.values());
    return { corrected: changed.includes(true) ? state : undefined, failed };
}

/** @returns whether the resource has other outputs than the state had, which then has them */
async function restoreOne(cloud: LocalCloud, resource: StateResource): Promise<boolean> {
    const { id, outputs } = await cloud.restore(registrationOf(resource.urn, fromState(resource.inputs) as Wire));
    const same = id === resource.id && Object.entries(outputs).every(([key, value]) => value === undefined || isDeepStrictEqual(value, resource.outputs[key]));
    resource.id = id;
    Object.assign(resource.outputs, outputs);
    return !same;
}

function dependenciesOf({ dependencies, propertyDependencies }: StateResource): string[] {
    return [...(dependencies ?? []), ...Object.values(propertyDependencies ?? {}).flatMap((urns) => urns ?? [])];
}
