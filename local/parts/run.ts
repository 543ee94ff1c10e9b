import { execa } from "execa";

/** Runs a command to its end. @returns its exit code, undefined when it could not be started or a signal ended it, and what it wrote */
export async function run(
    command: string,
    args: readonly string[],
    options: { readonly env?: Readonly<Record<string, string>>; /** Gets the output too, as it comes. */ readonly logFile?: string } = {},
): Promise<{ readonly exitCode: number | undefined; readonly output: string }> {
    const { env = {}, logFile } = options;
    const target = logFile === undefined ? "pipe" : (["pipe", { file: logFile, append: true }] as const);
    const { exitCode, all, message } = await execa(command, args, { env, all: true, reject: false, stdin: "ignore", stdout: target, stderr: target });
    return { exitCode, output: all ?? message ?? "" };
}

/** The last lines of an output, for an error's message. */
export function tail(output: string): string {
    return output.trimEnd().split("\n").slice(-20).join("\n");
}
