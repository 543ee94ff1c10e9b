import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { projectDir } from "../../local/parts/paths";
import { ensurePython } from "../../local/parts/python";
import { run } from "../../local/parts/run";
import { counted } from "../functions/drift/counts";

const dir = mkdtempSync(path.join(tmpdir(), "drift-"));
const model = path.join(dir, "model");
const players = path.join(dir, "players.csv");

/** What `npm run drift` prints, and its exit code. */
function drift(...args: readonly string[]) {
    return run(process.execPath, ["--import", "tsx", "scripts/drift.ts", ...args], { cwd: projectDir });
}

beforeAll(async () => {
    const python = await ensurePython();
    for (const args of [
        ["ml/sample.py", "--rows", "2000", "--seed", "5", "--out", players],
        ["ml/train.py", "--data", players, "--out", model],
    ]) {
        expect(await run(python, args, { cwd: projectDir })).toMatchObject({ exitCode: 0 });
    }
});

describe("npm run drift", () => {
    it("counts a file of players, and finds nothing between a model and what it was trained on", async () => {
        const { exitCode, output } = await drift(model, players);
        expect(output).toMatch(/players 2000 before, 2000 now/);
        expect(output).toContain("no column is above 0.2, or 1.00 % unseen");
        expect(exitCode).toBe(0);
    });

    it("exits 1 with the columns that have drifted", async () => {
        const [header = "", ...rows] = readFileSync(players, "utf8").trimEnd().split("\n");
        const place = header.split(",").indexOf("country");
        const moved = rows.map((row) => row.split(",").with(place, "Atlantis").join(","));
        const file = path.join(dir, "moved.csv");
        writeFileSync(file, [header, ...moved, ""].join("\n"));
        expect(await drift(model, file)).toMatchObject({ exitCode: 1, output: expect.stringMatching(/\* country .*100\.00 % \(Atlantis\)[^]*above 0\.2, or 1\.00 % unseen: country/) as string });
    });

    it("takes the output folders of a day's jobs, and prints JSON if asked", async () => {
        const day = path.join(dir, "day");
        for (const [job, counts] of Object.entries({ a: counted(), b: counted({ country: { KR: 100, FR: 900 } }) })) {
            const folder = path.join(day, job, "_statistics");
            mkdirSync(folder, { recursive: true });
            writeFileSync(path.join(folder, "part.json"), JSON.stringify(counts));
            writeFileSync(path.join(folder, "training.json"), JSON.stringify(counted()));
        }
        expect((await drift(path.join(day, "a"), day)).output).toMatch(/players 1000 before, 2000 now/);
        const { exitCode, output } = await drift(path.join(day, "a"), path.join(day, "b"), "--json");
        expect(exitCode).toBe(1);
        expect(JSON.parse(output)).toMatchObject({ drifted: ["country"], players: { now: 1_000 } });
    });

    it("exits 2 and says what was expected", async () => {
        expect(await drift(model, path.join(dir, "missing"))).toMatchObject({ exitCode: 2, output: expect.stringContaining("there is no such file or folder") as string });
        expect(await drift(players, players)).toMatchObject({ exitCode: 2, output: expect.stringContaining("is no model folder") as string });
        const empty = path.join(dir, "empty");
        cpSync(path.join(projectDir, "ml", "promotions.json"), path.join(empty, "promotions.json"));
        expect(await drift(model, empty)).toMatchObject({ exitCode: 2, output: expect.stringContaining("neither a model folder") as string });
        expect(await drift(model, players, "--limit", "high")).toMatchObject({ exitCode: 2 });
        expect(await drift(model, players, "--unseen-limit", "0")).toMatchObject({ exitCode: 2, output: expect.stringContaining('--unseen-limit is "0"') as string });
    });
});
