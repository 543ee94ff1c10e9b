import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";

export interface RunOptions {
    /** @default this process's own */
    readonly cwd?: string;
    /** Added to this process's own environment. */
    readonly env?: Readonly<Record<string, string>>;
    /** Gets the output too, as it comes. */
    readonly logFile?: string;
    /** Shows the output as it comes instead of returning it. */
    readonly inherit?: boolean;
}

/** Runs a command to its end. @returns its exit code, undefined when it could not be started or a signal ended it, and what it wrote */
export function run(
    command: string,
    args: readonly string[],
    { cwd, env = {}, logFile, inherit = false }: RunOptions = {},
): Promise<{ readonly exitCode: number | undefined; readonly output: string }> {
    const out = inherit ? "inherit" : "pipe";
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", out, out] });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
        stream?.on("data", (chunk: Buffer) => {
            chunks.push(chunk);
            if (logFile !== undefined) {
                appendFileSync(logFile, chunk);
            }
        });
    }
    return new Promise((resolve) => {
        child.once("error", (error) => resolve({ exitCode: undefined, output: error.message }));
        child.once("close", (code) => resolve({ exitCode: code ?? undefined, output: Buffer.concat(chunks).toString() }));
    });
}

/** The last lines of an output, for an error's message. */
export function tail(output: string): string {
    return output.trimEnd().split("\n").slice(-20).join("\n");
}
