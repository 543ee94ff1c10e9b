import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { projectDir } from "../local/parts/paths";
import { ensurePython } from "../local/parts/python";
import { run } from "../local/parts/run";
import { ensureSystemPackages } from "../local/parts/system";

/** How many of something went well and how many did not. */
interface Tally {
    readonly passed: number;
    readonly failed: number;
}

/** Runs a tool in the project's folder with its output shown. @returns whether it succeeded */
async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
    console.log(`\n> ${command} ${args.join(" ")}`);
    // Vite warns of a configuration that imports CommonJS, as this project is.
    const env = { VITE_CONFIG_NATIVE_IGNORE_WARNING: "true" };
    return (await run(command, args, { cwd: projectDir, env, inherit: true })).exitCode === 0;
}

async function check(command: string, args: readonly string[]): Promise<Tally> {
    return (await succeeds(command, args)) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** A runner that failed without counting a failed test, such as for a file that does not load, counts as one failure. */
function tally(ok: boolean, passed: number, failed: number): Tally {
    return { passed, failed: !ok && failed === 0 ? 1 : failed };
}

async function vitest(reports: string): Promise<Tally> {
    const file = path.join(reports, "vitest.json");
    const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const ok = await succeeds("vitest", args);
    const report = JSON.parse(readFileSync(file, "utf8")) as { readonly numPassedTests: number; readonly numFailedTests: number };
    return tally(ok, report.numPassedTests, report.numFailedTests);
}

async function pytest(reports: string): Promise<Tally> {
    const file = path.join(reports, "pytest.xml");
    const ok = await succeeds(await ensurePython(), ["-m", "pytest", "-q", `--junitxml=${file}`, "test/ml"]);
    const suite = /<testsuite [^>]*>/.exec(readFileSync(file, "utf8"))?.[0] ?? "";
    const count = (name: string): number => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
    const failed = count("failures") + count("errors");
    return tally(ok, count("tests") - failed - count("skipped"), failed);
}

/** Lint, types and every test; the closing line counts them all. */
async function main(): Promise<void> {
    await ensureSystemPackages(["redis-server", "mariadb-server", "python3-venv"]);
    const reports = mkdtempSync(path.join(tmpdir(), "player-predictions-tests-"));
    const tallies: Tally[] = [];
    try {
        tallies.push(await check("eslint", ["."]));
        tallies.push(await check("tsc", ["--noEmit"]));
        tallies.push(await pytest(reports));
        tallies.push(await vitest(reports));
    } finally {
        rmSync(reports, { recursive: true, force: true });
    }
    const sum = (key: keyof Tally): number => tallies.reduce((total, each) => total + each[key], 0);
    console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`);
    process.exitCode = sum("failed") === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
});
