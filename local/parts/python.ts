import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { lock } from "./lock";
import { projectDir, sharedDir } from "./paths";
import { ensureSystemPackages } from "./system";

/** The Python environment could not be made; the message has the end of pip's log. */
export class PythonError extends Error {
    override readonly name = "PythonError";
}

/** What Azure ML installs for the online deployment. */
const modelEnvironment = path.join(projectDir, "ml", "environment.online.yaml");
/** What the parts and the tests need besides. */
const partsRequirements = path.join(__dirname, "requirements.txt");

const condaFile = z.object({ dependencies: z.array(z.union([z.string(), z.object({ pip: z.array(z.string()) })])) });

/**
 * Python of the environment that has the models' libraries as Azure ML gets them, and what the parts need: made at
 * `.local/python/<hash of the pins and the Python version>` when it is not there. pip's own settings (`PIP_*`) are respected.
 *
 * @returns path of its `python`
 * @throws MissingPackagesError without Python 3.10 or later or its venv module; PythonError when pip fails
 */
export async function ensurePython(): Promise<string> {
    await ensureSystemPackages(["python3-venv"]);
    const version = await run("python3", ["-c", "import platform; print(platform.python_implementation(), platform.python_version())"]);
    const pins = [...modelPins(), readFileSync(partsRequirements, "utf8").trim()].join("\n");
    const hash = createHash("sha256").update(`${version}\n${pins}\n`).digest("hex").slice(0, 12);
    const dir = path.join(sharedDir, "python", hash);
    const python = path.join(dir, "bin", "python");
    // An environment cannot be moved once it is made, so a file says whether it is whole.
    const complete = path.join(dir, "complete");
    if (existsSync(complete)) {
        return python;
    }
    mkdirSync(path.dirname(dir), { recursive: true });
    const held = await lock(`python ${dir}`, (pid) => console.log(`waiting for process ${pid ?? "unknown"}, which makes the Python environment`));
    try {
        if (!existsSync(complete)) {
            await make(dir, python, pins);
            writeFileSync(complete, `${version}\n${pins}\n`);
        }
        return python;
    } finally {
        await held.release();
    }
}

async function make(dir: string, python: string, pins: string): Promise<void> {
    console.log(`making the Python environment ${path.relative(projectDir, dir)}: this takes a minute or two, once`);
    rmSync(dir, { recursive: true, force: true });
    await run("python3", ["-m", "venv", dir], `${dir}.log`);
    const requirements = path.join(dir, "requirements.txt");
    writeFileSync(requirements, `${pins}\n`);
    await run(python, ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r", requirements], `${dir}.log`);
}

function modelPins(): string[] {
    const { dependencies } = condaFile.parse(parse(readFileSync(modelEnvironment, "utf8")));
    const pins = dependencies.flatMap((dependency) => (typeof dependency === "string" ? [] : dependency.pip));
    if (pins.length === 0) {
        throw new PythonError(`${modelEnvironment} has no pip list under dependencies`);
    }
    return pins;
}

/** Runs a command to its end, its output in the log file where one is given. @returns its standard output where none is */
async function run(command: string, args: readonly string[], logFile?: string): Promise<string> {
    const log = logFile === undefined ? undefined : openSync(logFile, "a");
    const child = spawn(command, args, { stdio: ["ignore", log ?? "pipe", log ?? "pipe"] });
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    if (log !== undefined) {
        closeSync(log);
    }
    if (code !== 0) {
        const end = logFile === undefined ? output : readFileSync(logFile, "utf8");
        const tail = end.trimEnd().split("\n").slice(-20).join("\n");
        throw new PythonError(`${command} ${args.join(" ")} ended with ${code}${logFile === undefined ? "" : `; see ${logFile}`}:\n${tail}`);
    }
    return output.trim();
}
