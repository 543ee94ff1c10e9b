import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { projectDir } from "../../local/parts/paths";
import { ensurePython } from "../../local/parts/python";
import { run, tail } from "../../local/parts/run";
import { ratio, type Row, short, spread } from "../lib";
import type { Section } from "./section";

/** What a run of both contenders took, in seconds. */
interface Times {
    readonly script: number;
    readonly lightgbm: number;
}

/** The batch script over a file of players. */
export const batch: Section = async ({ quick }) => {
    const players = quick ? 50_000 : 1_000_000;
    const dir = mkdtempSync(path.join(tmpdir(), "bench-batch-"));
    try {
        const [training, file, model, output] = ["training.csv", "players.csv", "model", "output"].map((name) => path.join(dir, name)) as [string, string, string, string];
        mkdirSync(output);
        await python("ml/sample.py", "--rows", "40000", "--seed", "7", "--out", training);
        await python("ml/sample.py", "--rows", String(players), "--seed", "8", "--out", file);
        await python("ml/train.py", "--data", training, "--out", model);
        const lines = (await python("bench/cold/batch_times.py", model, file, output, String(quick ? 1 : 3))).split("\n");
        const times = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Times);
        const [script, lightgbm] = [times.map((each) => each.script), times.map((each) => each.lightgbm)];
        return [
            {
                id: "batch",
                work: `batch scoring, ${players.toLocaleString("en-US")} rows, CSV in, CSV out, times as fast`,
                against: "LightGBM predict of all boosters of both models on the same rows in memory",
                unit: "x",
                figure: ratio(lightgbm, script),
                goal: { op: ">=", value: 0.5 },
                note: `${short(spread(script).median)} s : ${short(spread(lightgbm).median)} s`,
            },
        ] satisfies Row[];
    } finally {
        rmSync(dir, { recursive: true, force: true });
    }
};

/** Runs a Python script of the project. @returns what it printed */
async function python(script: string, ...args: readonly string[]): Promise<string> {
    const env = { PYTHONPATH: path.join(projectDir, "ml"), PYTHONDONTWRITEBYTECODE: "1" };
    const { exitCode, output } = await run(await ensurePython(), [script, ...args], { cwd: projectDir, env });
    if (exitCode !== 0) {
        throw new Error(`${script} ended with ${exitCode ?? "a signal"}: ${tail(output)}`);
    }
    return output;
}
