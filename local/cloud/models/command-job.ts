import { spawn } from "node:child_process";
import { closeSync, cpSync, mkdirSync, openSync, rmSync } from "node:fs";
import path from "node:path";
import { signalGroup } from "../../parts/processes";
import { download, upload, type BlobFolder } from "./blob-folder";

/** What a command job works with. */
export interface CommandJobOptions {
    readonly dir: string;
    /** Folder of the code; the job works in a copy. */
    readonly codeDir: string;
    /** Full path of the `python` that the command finds. */
    readonly python: string;
    readonly command: string;
    readonly inputs: Readonly<Record<string, BlobFolder>>;
    readonly outputs: Readonly<Record<string, BlobFolder>>;
    readonly timeoutMs: number;
    readonly logFile: string;
    /** Ends the job at once, whatever it is doing. */
    readonly signal: AbortSignal;
}

/** The command failed, or took too long. */
export class CommandJobError extends Error {
    override readonly name = "CommandJobError";
}

/** Runs one job: mounts its inputs (a download), runs its command in a copy of the code, and uploads what is in its outputs, however it ended. */
export async function runCommandJob(options: CommandJobOptions): Promise<void> {
    const { dir, codeDir, inputs, outputs } = options;
    const codeCopy = path.join(dir, "code");
    rmSync(dir, { recursive: true, force: true });
    cpSync(codeDir, codeCopy, { recursive: true });
    const folders = new Map<string, string>();
    for (const [name, folder] of Object.entries(inputs)) {
        const target = path.join(dir, "inputs", name);
        mkdirSync(target, { recursive: true });
        await download(folder, target);
        folders.set(`inputs.${name}`, target);
    }
    for (const name of Object.keys(outputs)) {
        const target = path.join(dir, "outputs", name);
        mkdirSync(target, { recursive: true });
        folders.set(`outputs.${name}`, target);
    }
    const failure = await run(withFolders(options.command, folders), codeCopy, options);
    options.signal.throwIfAborted();
    for (const [name, folder] of Object.entries(outputs)) {
        await upload(folder, folders.get(`outputs.${name}`) ?? "");
    }
    if (failure !== undefined) {
        throw new CommandJobError(failure);
    }
}

/** @throws CommandJobError for the name of a folder that the job has not */
function withFolders(command: string, folders: ReadonlyMap<string, string>): string {
    return command.replaceAll(/\$\{\{(.+?)\}\}/g, (whole, name: string) => {
        const folder = folders.get(name.trim());
        if (folder === undefined) {
            throw new CommandJobError(`the command names ${whole}, and the job has ${[...folders.keys()].join(", ")}`);
        }
        return folder;
    });
}

/** @returns why the command failed; undefined when it did not */
function run(command: string, cwd: string, { dir, python, logFile, timeoutMs, signal }: CommandJobOptions): Promise<string | undefined> {
    const log = openSync(logFile, "a");
    // A group of its own, so that what it has started ends with it.
    const child = spawn("sh", ["-c", command], {
        cwd,
        env: { HOME: dir, PATH: `${path.dirname(python)}:${process.env.PATH ?? ""}`, PYTHONDONTWRITEBYTECODE: "1" },
        detached: true,
        stdio: ["ignore", log, log],
    });
    closeSync(log);
    return new Promise((resolve, reject) => {
        let late = false;
        const end = () => {
            if (child.pid !== undefined) {
                signalGroup(child.pid, "SIGKILL");
            }
        };
        const timer = setTimeout(() => {
            late = true;
            end();
        }, timeoutMs);
        signal.addEventListener("abort", end, { once: true });
        child.once("error", reject);
        child.once("close", (code) => {
            clearTimeout(timer);
            signal.removeEventListener("abort", end);
            resolve(late ? `the command was ended after ${timeoutMs / 1000} s` : code === 0 ? undefined : `the command ended with ${code ?? "a signal"}`);
        });
    });
}
