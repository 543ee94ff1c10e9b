import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** A process that no later one with the same number is taken for. */
export interface ProcessId {
    readonly pid: number;
    /** When it started, in clock ticks since this boot, and which boot that was. */
    readonly started: string;
}

/** The process with this number, or undefined when it is gone: one that only waits to be reaped is. */
export function identify(pid: number): ProcessId | undefined {
    const stat = readIfThere(`/proc/${pid}/stat`);
    if (stat === undefined) {
        return undefined;
    }
    // State is the third field, the start time the 22nd (proc_pid_stat(5)).
    const fields = fieldsOf(stat);
    const [state, started] = [fields[0], fields[19]];
    return state === "Z" || state === "X" ? undefined : { pid, started: `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}/${started}` };
}

export function isRunning(id: ProcessId): boolean {
    return identify(id.pid)?.started === id.started;
}

/** Seconds of processor time that a process has taken so far, user and system; 0 when it is gone (proc_pid_stat(5)). */
export function processorTime(pid: number | undefined): number {
    const stat = readIfThere(`/proc/${pid}/stat`) ?? "";
    const [user = 0, system = 0] = fieldsOf(stat).slice(11, 13).map(Number);
    // In ticks of a hundredth of a second.
    return (user + system) / 100;
}

/** Signals the processes of a group; none being left is no error. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
    try {
        process.kill(-leader, signal);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
            throw error;
        }
    }
}

/** Ends a process and those of its group: asks by SIGTERM, and after the grace by SIGKILL. */
export async function endGroup(leader: ProcessId, graceMs: number): Promise<void> {
    const deadline = Date.now() + graceMs;
    for (let asked = false; isRunning(leader); ) {
        if (!asked) {
            signalGroup(leader.pid, "SIGTERM");
            asked = true;
        } else if (Date.now() > deadline) {
            signalGroup(leader.pid, "SIGKILL");
        }
        await delay(20);
    }
}

/**
 * Whether the process itself listens on this TCP port: an answer from the port alone may come from another program that took it first.
 * @see https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt
 */
export function listens(pid: number, port: number): boolean {
    const listening = new Set<string>();
    for (const line of `${readIfThere("/proc/net/tcp") ?? ""}\n${readIfThere("/proc/net/tcp6") ?? ""}`.split("\n")) {
        const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
        if (state === "0A" && local?.split(":")[1] === port.toString(16).toUpperCase().padStart(4, "0")) {
            listening.add(`socket:[${inode}]`);
        }
    }
    return listening.size > 0 && openFiles(pid).some((file) => listening.has(file));
}

function openFiles(pid: number): string[] {
    try {
        return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
            try {
                return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
            } catch {
                return [];
            }
        });
    } catch {
        return [];
    }
}

/** The fields of a process's state from the third on: the name, the second, may have blanks and brackets in it. */
function fieldsOf(stat: string): string[] {
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function readIfThere(file: string): string | undefined {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
}
