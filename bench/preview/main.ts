import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { interleave, publish, ratio, short, spread, type Row } from "../lib";
import { PreviewEngine, type PreviewRun } from "./engine";
import { contenders, makeProjects, type Contender } from "./projects";

/** Runs of each. */
const runs = Number(process.env.BENCH_RUNS ?? 3);

type Runs = Record<Contender, PreviewRun[]>;

function rowsOf(state: "cold" | "warm", { stack, empty, "default way": defaultWay }: Runs): Row[] {
    const wall = (of: readonly PreviewRun[]): number[] => of.map(({ wallSeconds }) => wallSeconds);
    const seconds = (of: readonly PreviewRun[]): string => `${short(spread(wall(of)).median)} s`;
    const work = `pulumi preview of the whole stack (${stack[0]?.resources} resources), ${state}`;
    const cpu = (of: readonly PreviewRun[]): number[] => of.map(({ cpuSeconds }) => cpuSeconds);
    const peak = (of: readonly PreviewRun[]) => spread(of.map(({ peakMegabytes }) => peakMegabytes));
    return [
        {
            id: `${state}-against-empty`,
            work,
            against: "an empty program",
            unit: "x",
            figure: ratio(wall(stack), wall(empty)),
            goal: { op: "<=", value: 1.5 },
            note: `${seconds(stack)} against ${seconds(empty)}; processor time of the program ${short(ratio(cpu(stack), cpu(empty)).median)} x`,
        },
        {
            id: `${state}-against-default`,
            work,
            against: `the default way (${defaultWay[0]?.resources} resources)`,
            unit: "x",
            figure: ratio(wall(stack), wall(defaultWay)),
            note: `${seconds(stack)} against ${seconds(defaultWay)}`,
        },
        {
            id: `${state}-memory`,
            work: `peak memory of the program, ${state}`,
            against: "the default way (told beside)",
            unit: "MB",
            figure: peak(stack),
            goal: { op: "<=", value: 300 },
            note: `empty ${short(peak(empty).median)} MB, default way ${short(peak(defaultWay).median)} MB`,
        },
    ];
}

async function main(): Promise<void> {
    const dir = mkdtempSync(path.join(tmpdir(), "bench-preview-"));
    const engine = await PreviewEngine.start(dir);
    try {
        const projects = await makeProjects(dir);
        for (const name of contenders) {
            await engine.makeStack(projects[name]);
            await engine.preview(projects[name], false);
        }
        const measure = (cold: boolean): Promise<Runs> =>
            interleave(runs, {
                stack: () => engine.preview(projects.stack, cold),
                empty: () => engine.preview(projects.empty, cold),
                "default way": () => engine.preview(projects["default way"], cold),
            });
        const rows = [...rowsOf("cold", await measure(true)), ...rowsOf("warm", await measure(false))];
        process.exitCode = publish("preview", rows) ? 0 : 1;
    } finally {
        engine.stop();
        rmSync(dir, { recursive: true, force: true });
    }
}

main().then(
    () => process.exit(),
    (error: unknown) => {
        console.error(error instanceof Error ? error.message : String(error));
        process.exit(1);
    },
);
