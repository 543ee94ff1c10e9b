import { readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { z } from "zod";
import { withoutSecretMarks, type LocalCloud } from "./cloud";

const configValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.unknown()), z.record(z.string(), z.unknown())]);
type ConfigValue = z.infer<typeof configValue>;

const projectFile = z.object({
    name: z.string(),
    config: z.record(z.string(), z.union([z.object({ default: configValue.optional() }), configValue])).default({}),
});
const stackFile = z.object({ config: z.record(z.string(), configValue).default({}) });

/** A stack's configuration as the engine hands it to a program. */
export interface StackConfig {
    readonly project: string;
    readonly values: Readonly<Record<string, string>>;
}

/** Reads a stack's configuration as the engine does: the defaults of Pulumi.yaml, then the stack's own file. */
export function readStackConfig(root: string, stack: string): StackConfig {
    const project = projectFile.parse(parse(readFileSync(path.join(root, "Pulumi.yaml"), "utf8")));
    const own = stackFile.parse(parse(readFileSync(path.join(root, `Pulumi.${stack}.yaml`), "utf8")));
    const defaults = Object.entries(project.config).flatMap(([key, declared]) => {
        const value = typeof declared === "object" && !Array.isArray(declared) ? (declared.default as ConfigValue | undefined) : declared;
        return value === undefined ? [] : [[key, value] as const];
    });
    const values = [...defaults, ...Object.entries(own.config)].map(([key, value]) => [
        key.includes(":") ? key : `${project.name}:${key}`,
        typeof value === "object" ? JSON.stringify(value) : String(value),
    ]);
    return { project: project.name, values: Object.fromEntries(values) as Record<string, string> };
}

/** One resource became real, for a progress line. */
export type OnRegistered = (registered: { readonly type: string; readonly name: string }) => void;

/**
 * Runs a program against the local cloud inside this process: the engine's place is taken by Pulumi's mock monitor, and every resource
 * that it is told of is made real. There is no state: everything is made, or brought to its inputs, at every run.
 *
 * @param secrets configuration that is no part of the stack's file, by key without the project's name
 * @returns the program's outputs, resolved
 */
export async function runInProcess(
    program: () => Promise<pulumi.Inputs>,
    cloud: LocalCloud,
    options: {
        readonly stack: string;
        readonly config: StackConfig;
        readonly secrets: Readonly<Record<string, string>>;
        readonly onRegistered: OnRegistered;
    },
): Promise<Record<string, unknown>> {
    const { stack, config, secrets, onRegistered } = options;
    const failure = new FirstFailure();
    await pulumi.runtime.setMocks(
        {
            newResource: async ({ type, name, inputs, custom }) => {
                if (custom === false) {
                    return { id: undefined, state: inputs as Record<string, unknown> };
                }
                const made = await failure.watch(cloud.register({ type, name, inputs: inputs as Record<string, unknown> }));
                onRegistered({ type, name });
                const state = { ...(withoutSecretMarks(inputs) as object), id: made.id, name: made.name, ...made.outputs };
                return { id: made.id, state };
            },
            call: ({ token, inputs }) => failure.watch(cloud.call(token, inputs as Record<string, unknown>)),
        },
        config.project,
        stack,
        false,
    );
    const secretValues = Object.fromEntries(Object.entries(secrets).map(([key, value]) => [`${config.project}:${key}`, value]));
    pulumi.runtime.setAllConfig({ ...config.values, ...secretValues }, Object.keys(secretValues));
    return await Promise.race([failure.promise, runToTheEnd(program)]);
}

async function runToTheEnd(program: () => Promise<pulumi.Inputs>): Promise<Record<string, unknown>> {
    const outputs: unknown = await pulumi.runtime.runInPulumiStack(() => program());
    const resolved = await new Promise<Record<string, unknown>>((resolve) => {
        pulumi.output(outputs as Record<string, unknown>).apply(resolve);
    });
    // Resources that no output depends on may still be on their way.
    await pulumi.runtime.disconnect();
    return resolved;
}

/**
 * The first thing that went wrong. The SDK answers a failed registration with one unhandled rejection for each output that depends on it,
 * and with outputs that never resolve: the cause is caught where it happens, and those rejections are taken for the echo that they are.
 */
class FirstFailure {
    readonly promise: Promise<never>;
    #reject: (error: unknown) => void = () => undefined;

    constructor() {
        this.promise = new Promise((_resolve, reject) => (this.#reject = reject));
        process.on("unhandledRejection", (error) => this.#reject(error));
    }

    async watch<T>(work: Promise<T>): Promise<T> {
        try {
            return await work;
        } catch (error) {
            this.#reject(error);
            throw error;
        }
    }
}
