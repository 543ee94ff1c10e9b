import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { spawn } from "node:child_process";
import path from "node:path";
import { projectDir } from "./parts/paths";
import { ensurePython } from "./parts/python";

/** A Python script of the project failed; the message has the end of its log. */
export class PythonScriptError extends Error {
    override readonly name = "PythonScriptError";
}

/** Runs a script of the project with its output in a log file. @throws PythonScriptError when it exits with another code than 0 */
export async function runPython(script: string, args: readonly string[], logFile: string): Promise<void> {
    const python = await ensurePython();
    mkdirSync(path.dirname(logFile), { recursive: true });
    const log = createWriteStream(logFile);
    const child = spawn(python, [script, ...args], { cwd: projectDir });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    await new Promise<void>((resolve) => log.end(resolve));
    if (code !== 0) {
        const tail = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-10).join("\n");
        throw new PythonScriptError(`python ${script} ${args.join(" ")} ended with ${code}:\n${tail}`);
    }
}
