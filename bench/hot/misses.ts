import { existsSync } from "node:fs";
import path from "node:path";
import { projectDir } from "../../local/parts/paths";
import { startInferenceServer } from "../../local/parts/inference";
import { ensurePython } from "../../local/parts/python";
import { run } from "../../local/parts/run";
import { interleave, ratio, type Row, short, spread } from "../lib";
import type { LoadGenerator } from "./load";
import type { LoadResult } from "./load-protocol";
import type { Parts } from "./parts";
import type { Scale } from "./scale";

/** Calls that the model's endpoint takes at a time: what the stack's default deployment has room for. */
const maxCalls = 2;

/** Players whom nothing is stored of, 50 connections, with the real model in Azure ML's own inference server. */
export async function misses(parts: Parts, load: LoadGenerator, scale: Scale): Promise<Row[]> {
    const model = await startInferenceServer(parts.workshop, {
        name: "model",
        entryScript: "score.py",
        codeDir: path.join(projectDir, "ml"),
        modelDir: await trainedModel(parts),
    });
    const ours = await parts.predicting("predicting-misses", {
        ONLINE_SCORING_URI: model.url,
        MODEL_MAX_CALLS: String(maxCalls),
        MODEL_BATCH_PLAYERS: "100",
        // The version does not have to be the model's own: every player is asked for once.
        REQUEST_DEADLINE_MS: "10000",
    });
    const usual = await parts.usual(model.url);
    let runs = 0;
    const measure = (url: string, at: string): Promise<LoadResult> => {
        runs += 1;
        const traffic = { kind: "new", prefix: `run-${runs}` } as const;
        return load.run({ url, path: at, traffic, connections: 50, length: { seconds: Math.max(3, scale.seconds) } });
    };
    const contenders = { ours: () => measure(ours.url, "/api/predictions"), each: () => measure(usual.url, "/each") };
    await interleave(1, contenders);
    const results = await interleave(scale.runs, contenders);
    await Promise.all([ours.process.stop(), usual.process.stop(), model.process.stop()]);

    const rates = (of: readonly LoadResult[]): number[] => of.map((result) => result.requestsPerSecond);
    const p99s = (of: readonly LoadResult[]): number[] => of.map((result) => result.latency.p99);
    const note = (measure: typeof rates, unit: string): string =>
        `${short(spread(measure(results.ours)).median)} ${unit} : ${short(spread(measure(results.each)).median)} ${unit}`;
    const common = { against: "the model called once a request", unit: "x" };
    return [
        {
            ...common,
            id: "misses-rate",
            work: "all misses, 50 connections, requests/s",
            figure: ratio(rates(results.ours), rates(results.each)),
            goal: { op: ">=", value: 5 },
            note: note(rates, "/s"),
        },
        {
            ...common,
            id: "misses-p99",
            work: "the same, p99",
            figure: ratio(p99s(results.ours), p99s(results.each)),
            goal: { op: "<=", value: 1 },
            note: note(p99s, "ms"),
        },
    ];
}

/** The repository's own model where it was trained, or one of 2,000 generated players. */
async function trainedModel({ workshop }: Parts): Promise<string> {
    const own = path.join(projectDir, "model");
    if (existsSync(path.join(own, "model.json"))) {
        return own;
    }
    const python = await ensurePython();
    const [sample, out] = [path.join(workshop.dir, "sample.csv"), path.join(workshop.dir, "model")];
    for (const args of [
        ["ml/sample.py", "--rows", "2000", "--seed", "1", "--out", sample],
        ["ml/train.py", "--data", sample, "--out", out],
    ]) {
        const { exitCode, output } = await run(python, args, { cwd: projectDir });
        if (exitCode !== 0) {
            throw new Error(`${args[0]} ended with ${exitCode}:\n${output}`);
        }
    }
    return out;
}
