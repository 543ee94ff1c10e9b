import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { lock } from "./lock";
import { projectDir, sharedDir } from "./paths";
import { run, tail } from "./run";
import { ensureSystemPackages } from "./system";

/** The Python environment could not be made; the message has the end of pip's log. */
export class PythonError extends Error {
    override readonly name = "PythonError";
}

const condaFile = z.object({ dependencies: z.array(z.union([z.string(), z.object({ pip: z.array(z.string()) })])) });

export interface PythonOptions {
    /** Conda environment files whose pip lists are installed; their other packages, Python among them, are the machine's own. */
    readonly environmentFiles: readonly string[];
    /** pip's requirements file of what is needed besides. */
    readonly requirementsFile: string;
    /** Where the environments are: one folder each. */
    readonly dir: string;
}

const projectPython: PythonOptions = {
    // What Azure ML installs for the online deployment and for training.
    environmentFiles: ["online", "train"].map((name) => path.join(projectDir, "ml", `environment.${name}.yaml`)),
    requirementsFile: path.join(__dirname, "requirements.txt"),
    dir: path.join(sharedDir, "python"),
};

let ensured: Promise<string> | undefined;

/** The project's Python environment, see {@link makePython}; looked for once a process. @returns path of its `python` */
export function ensurePython(): Promise<string> {
    ensured ??= makePython(projectPython).catch((error: unknown) => {
        ensured = undefined;
        throw error;
    });
    return ensured;
}

/**
 * A Python environment with these packages, made at `<dir>/<hash of the pins and the Python version>` when it is not there. Processes
 * that want the same at once make it once. pip's own settings (`PIP_*`) are respected.
 *
 * @returns path of its `python`
 * @throws MissingPackagesError without Python 3.10 or later or its venv module; PythonError when pip fails
 */
export async function makePython(options: PythonOptions): Promise<string> {
    await ensureSystemPackages(["python3-venv"]);
    const version = await succeed("python3", ["-c", "import platform; print(platform.python_implementation(), platform.python_version())"]);
    // A pin that stands in several lists stands once here.
    const pins = [...new Set(options.environmentFiles.flatMap(pipList)), readFileSync(options.requirementsFile, "utf8").trim()].join("\n");
    const hash = createHash("sha256").update(`${version}\n${pins}\n`).digest("hex").slice(0, 12);
    const dir = path.join(options.dir, hash);
    const python = path.join(dir, "bin", "python");
    // An environment cannot be moved once it is made, so a file says whether it is whole.
    const complete = path.join(dir, "complete");
    if (existsSync(complete)) {
        return python;
    }
    mkdirSync(options.dir, { recursive: true });
    const held = await lock(`python ${dir}`, (pid) => console.log(`waiting for process ${pid}, which makes the Python environment`));
    try {
        if (!existsSync(complete)) {
            console.log(`making the Python environment ${dir}: this takes a minute or two, once`);
            await install(dir, python, pins);
            writeFileSync(complete, `${version}\n${pins}\n`);
        }
        return python;
    } finally {
        await held.release();
    }
}

async function install(dir: string, python: string, pins: string): Promise<void> {
    const log = `${dir}.log`;
    rmSync(dir, { recursive: true, force: true });
    rmSync(log, { force: true });
    await succeed("python3", ["-m", "venv", dir], log);
    const requirements = path.join(dir, "requirements.txt");
    writeFileSync(requirements, `${pins}\n`);
    await succeed(python, ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r", requirements], log);
}

function pipList(environmentFile: string): string[] {
    const { dependencies } = condaFile.parse(parse(readFileSync(environmentFile, "utf8")));
    return dependencies.flatMap((dependency) => (typeof dependency === "string" ? [] : dependency.pip));
}

async function succeed(command: string, args: readonly string[], logFile?: string): Promise<string> {
    const { exitCode, output } = await run(command, args, { ...(logFile === undefined ? {} : { logFile }) });
    if (exitCode !== 0) {
        const where = logFile === undefined ? "" : `; all of it is in ${logFile}`;
        throw new PythonError(`${command} ${args.join(" ")} ended with ${exitCode ?? "a signal"}${where}:\n${tail(output)}`);
    }
    return output.trim();
}
