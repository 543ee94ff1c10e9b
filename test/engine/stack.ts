import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { program as stackProgram, type ProgramContext } from "../../infra/program";
import type { StackConfig } from "../../local/cloud/in-process";
import type { EngineStack, Operation } from "../../local/engine/engine-stack";
import { openWorkshop } from "../../local/parts/workshop";
import { Progress } from "../../local/progress";
import { runPython } from "../../local/python-script";
import { openEngineStack, openGround, type Ground } from "../../local/stack";

export const minutes = 60_000;

/** The local stack under the engine, as one process of `npm run local -- --engine` has it open. */
export interface OpenStack {
    readonly ground: Ground;
    readonly engine: EngineStack;
    /** For the commands to come: these keys of the project, the others as the local stack's own. */
    configure(changes?: Readonly<Record<string, string>>): Promise<void>;
    /** As the end of the process. */
    close(): Promise<void>;
}

/** Changes to what the program does, read at each run. */
export interface ProgramChanges {
    context?: ProgramContext;
    /** Called before the program's resources are registered. */
    before?: () => void;
    /** In the place of the whole program. */
    instead?: () => pulumi.Inputs;
}

/** @param settings configuration that differs from the local stack's own, such as a model of the test's */
export async function openStack(dir: string, settings: Readonly<Record<string, string>>, changes: ProgramChanges = {}): Promise<OpenStack> {
    const workshop = await openWorkshop(dir);
    try {
        const ground = await openGround(workshop, new Progress());
        const program = async (): Promise<pulumi.Inputs> => {
            changes.before?.();
            return changes.instead?.() ?? (await stackProgram(changes.context));
        };
        const engine = await openEngineStack(ground, { program });
        const configure = (more: Readonly<Record<string, string>> = {}): Promise<void> =>
            engine.configure(configWith(ground.config, { ...settings, ...more }).values);
        await configure();
        return { ground, engine, configure, close: () => workshop.stop() };
    } catch (error) {
        await workshop.stop();
        throw error;
    }
}

/** A stack's configuration with other values for these keys of the project. */
export function configWith({ project, values }: StackConfig, settings: Readonly<Record<string, string>>): StackConfig {
    const changed = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${project}:${key}`, value]));
    return { project, values: { ...values, ...changed } };
}

/** Trains a small model on generated players. @returns its folder */
export async function trainModel(dir: string, seed: number): Promise<string> {
    const [data, model] = [path.join(dir, `players-${seed}.csv`), path.join(dir, `model-${seed}`)];
    await runPython("ml/sample.py", ["--rows", "500", "--seed", String(seed), "--out", data], path.join(dir, "sample.log"));
    await runPython("ml/train.py", ["--data", data, "--out", model], path.join(dir, "train.log"));
    return model;
}

/** Operations as lines such as `update WebApp players-handlers-app`, sorted; components, which are nothing real, left out. */
export function lines(operations: readonly Operation[]): string[] {
    return operations
        .filter(({ type }) => !type.startsWith("player-predictions:") && !type.startsWith("pulumi:"))
        .map(({ op, type, name }) => `${op} ${type.split(":").at(-1)} ${name}`)
        .sort();
}

/** Both steps of a replacement. */
export function replaced(...resources: readonly string[]): string[] {
    return resources.flatMap((resource) => [`create-replacement ${resource}`, `delete-replaced ${resource}`]);
}

/** Process ids of a workshop's part, by the start of its name. */
export function pidsOf(dir: string, part: string): number[] {
    return readdirSync(path.join(dir, "run"))
        .filter((name) => name.startsWith(part) && name.endsWith(".json"))
        .map((name) => (JSON.parse(readFileSync(path.join(dir, "run", name), "utf8")) as { process: { pid: number } }).process.pid);
}

/** What the running handlers have as their environment. */
export function handlerEnvironment(dir: string): Record<string, string> {
    const [pid, ...others] = pidsOf(dir, "host-");
    if (pid === undefined || others.length > 0) {
        throw new Error(`${others.length} hosts too many, or none`);
    }
    const entries = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
    return Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]));
}
