import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "../../local/parts/run";

const projectDir = path.resolve(__dirname, "..", "..");
const dirs: string[] = [];

const copied = ["infra", "functions", "ml", "test/infra", "local", "package.json", "Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "tsconfig.json"];

/** The project as another checkout has it. */
function workingCopy(of: string, ...below: string[]): string {
    const root = mkdtempSync(path.join(tmpdir(), "copy-"));
    dirs.push(root);
    const dir = path.join(root, ...below);
    mkdirSync(path.join(dir, "test"), { recursive: true });
    for (const name of copied) {
        cpSync(path.join(of, name), path.join(dir, name), { recursive: true, filter: (source) => !source.includes("__pycache__") });
    }
    symlinkSync(path.join(projectDir, "node_modules"), path.join(dir, "node_modules"));
    return dir;
}

/** All inputs that the program of a working copy registers for its stacks, as text. */
async function inputsOf(dir: string, now: string, env: Record<string, string>): Promise<string> {
    const { exitCode, output } = await run(process.execPath, ["--import", "tsx", path.join(dir, "test", "infra", "print-inputs.ts"), now], { cwd: dir, env });
    expect(exitCode, output).toBe(0);
    return output;
}

afterAll(() => {
    dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true }));
});

describe("what the program registers", () => {
    it("is the same from two working copies, time zones and months of a year, to the order of the keys", { timeout: 600_000 }, async () => {
        const copy = workingCopy(projectDir);
        const one = await inputsOf(copy, "2026-01-01T00:00:01Z", { TZ: "UTC", LANG: "C" });
        const other = await inputsOf(workingCopy(copy, "deeper", "a folder"), "2026-12-31T23:59:59Z", { TZ: "Asia/Seoul", LANG: "ko_KR.UTF-8", HOME: tmpdir() });
        expect(other.split("\n")).toEqual(one.split("\n"));
        expect(one).toMatch(/^prod .*"handlers-/m);
        for (const dir of [...dirs, projectDir]) {
            expect(one).not.toContain(dir);
        }
    });
});
