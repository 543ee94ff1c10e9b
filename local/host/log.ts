import type { LogLevel } from "./core-types";

const severities: readonly LogLevel[] = ["trace", "debug", "information", "warning", "error", "critical", "none"];

/** Where a line comes from: a function's invocation, or neither for the host's own lines. */
export interface LogSource {
    readonly functionName?: string;
    readonly invocationId?: string;
}

export interface Log {
    /** Writes one line: `<time> <level> <function or host> <invocation id or -> <message>`, line breaks within it shown as ` | `. */
    write(level: LogLevel, message: string, source?: LogSource): void;
}

/** A log of lines from `lowest` up, each handed to `out` whole. */
export function createLog(lowest: LogLevel, out: (line: string) => void, now: () => Date): Log {
    const threshold = severities.indexOf(lowest);
    return {
        write(level, message, { functionName = "host", invocationId = "-" } = {}) {
            if (severities.indexOf(level) >= threshold) {
                const line = message.trimEnd().replaceAll(/\s*\n\s*/g, " | ");
                out(`${now().toISOString()} ${level} ${functionName} ${invocationId} ${line}\n`);
            }
        },
    };
}

/** An error's text for the log: the stack where there is one. */
export function errorText(error: unknown): string {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
