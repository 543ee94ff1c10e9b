import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Comparison, ComparisonSide } from "../../functions/predict/comparison-log";
import { projectDir } from "../../local/parts/paths";
import { run } from "../../local/parts/run";
import { compareModels } from "../../scripts/compare-models";

function side(version: string, probability: number, ms = 1): ComparisonSide {
    const score = { label: probability >= 0.5, probability };
    return { version, ms, churn: score, purchase: score, segment: probability >= 0.5 ? "leavers" : "stayers" };
}

const at = "2026-01-31T12:00:00.000Z";
const pairs: Comparison[] = [
    { at, playerId: "1", live: side("a", 0.9, 10), challenger: side("b", 0.8, 20) },
    { at, playerId: "2", live: side("a", 0.6, 30), challenger: side("b", 0.4, 40) },
];

describe("a comparison of models", () => {
    it("tells players, times, probabilities, labels and segments of each, the live one first", () => {
        const { models } = compareModels(pairs);
        expect(models.map(({ version }) => version)).toEqual(["a", "b"]);
        expect(models[0]).toMatchObject({ players: 2, ms: { median: 10, p95: 30 }, churn: { mean: 0.75, yes: 1, percentiles: [0.6, 0.6, 0.9] }, segments: [["leavers", 1]] });
        expect(models[1]).toMatchObject({ churn: { yes: 0.5 }, segments: [["leavers", 0.5], ["stayers", 0.5]] });
    });

    it("tells how far both agree on the same players", () => {
        const { agreement } = compareModels(pairs);
        expect(agreement).toMatchObject({ players: 2, segments: 0.5, churn: { same: 0.5 } });
        expect(agreement?.churn.meanDifference).toBeCloseTo(-0.15, 9);
        expect(agreement?.churn.p99Size).toBeCloseTo(0.2, 9);
    });

    it("has no agreement where each model answers its share", () => {
        const share: Comparison[] = [{ at, playerId: "1", live: side("a", 0.9) }, { at, playerId: "2", challenger: side("b", 0.4) }];
        expect(compareModels(share)).toMatchObject({ models: [{ version: "a", players: 1 }, { version: "b", players: 1 }], agreement: undefined });
    });
});

describe("npm run compare", () => {
    const compare = (...args: readonly string[]) => run(process.execPath, ["--import", "tsx", "scripts/compare.ts", ...args], { cwd: projectDir });
    const dir = mkdtempSync(path.join(tmpdir(), "compare-"));
    mkdirSync(path.join(dir, "2026-01-31"));
    writeFileSync(path.join(dir, "2026-01-31", "one.jsonl"), pairs.map((each) => `${JSON.stringify(each)}\n`).join(""));

    it("prints a table of the files of a folder", async () => {
        const { exitCode, output } = await compare(dir);
        expect(output).toMatch(/^model +a +b$/m);
        expect(output).toMatch(/^churn yes +100\.00 % +50\.00 %$/m);
        expect(output).toContain("of 2 players with predictions of both:");
        expect(exitCode).toBe(0);
    });

    it("says where there is nothing to compare", async () => {
        expect(await compare(dir, "--day", "2026-02-01")).toMatchObject({ exitCode: 2, output: expect.stringContaining("there are no comparisons of 2026-02-01") as string });
        const broken = path.join(dir, "broken.jsonl");
        writeFileSync(broken, '{"at": 1}\n');
        expect(await compare(broken)).toMatchObject({ exitCode: 2, output: expect.stringContaining("broken.jsonl:1: no comparison of models") as string });
    });
});
