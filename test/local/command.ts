import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { projectDir } from "../../local/parts/paths";

/** Starts the command that the README names, with a folder of its own. @param env the environment's changes */
export function startLocal(dir: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(process.execPath, ["--import", "tsx", "local/main.ts", "--dir", dir, ...args], {
        cwd: projectDir,
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
    });
}

/** How a command ends, and all that it prints. */
export async function result(child: ChildProcess): Promise<{ readonly code: number | null; readonly output: string }> {
    const chunks: string[] = [];
    [child.stdout, child.stderr].forEach((stream) => stream?.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk)));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, output: chunks.join("") };
}

/** Resolves when a line with this text is printed; rejects with everything printed when the process ends before. */
export function printed(child: ChildProcess, text: string): Promise<string> {
    const lines: string[] = [];
    return new Promise((resolve, reject) => {
        for (const stream of [child.stdout, child.stderr]) {
            if (stream !== null) {
                createInterface({ input: stream }).on("line", (line) => {
                    lines.push(line);
                    if (line.includes(text)) {
                        resolve(lines.join("\n"));
                    }
                });
            }
        }
        child.once("close", (code) => reject(new Error(`ended with ${code} before "${text}":\n${lines.join("\n")}`)));
    });
}

export function ended(child: ChildProcess): Promise<number | null> {
    return child.exitCode !== null || child.signalCode !== null ? Promise.resolve(child.exitCode) : new Promise((resolve) => child.once("close", resolve));
}

/** Pids of processes whose command line mentions the stack's folder. */
export function processesOf(folder: string): number[] {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
        .filter((pid) => {
            try {
                return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
            } catch {
                return false;
            }
        })
        .map(Number);
}
