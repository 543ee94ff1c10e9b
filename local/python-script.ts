import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { projectDir } from "./parts/paths";
import { ensurePython } from "./parts/python";
import { run, tail } from "./parts/run";

/** A Python script of the project failed; the message has the end of its log. */
export class PythonScriptError extends Error {
    override readonly name = "PythonScriptError";
}

/** Runs a script of the project with its output in a log file. @throws PythonScriptError when it exits with another code than 0 */
export async function runPython(script: string, args: readonly string[], logFile: string): Promise<void> {
    mkdirSync(path.dirname(logFile), { recursive: true });
    rmSync(logFile, { force: true });
    const { exitCode, output } = await run(await ensurePython(), [script, ...args], { cwd: projectDir, logFile });
    if (exitCode !== 0) {
        throw new PythonScriptError(`python ${script} ${args.join(" ")} ended with ${exitCode ?? "a signal"}:\n${tail(output)}`);
    }
}
