import { spawn as spawnProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, realpathSync, renameSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { loadCertificate, type Certificate } from "./certificate";
import { endLeftovers, record } from "./leftovers";
import { lockHolder, tryLock, type Lock } from "./lock";
import { endGroup, identify, signalGroup, type ProcessId } from "./processes";

/** Where a set of parts lives: its folder, its log files, its processes. One process at a time has it open. */
export interface Workshop {
    readonly dir: string;
    /** For TLS of every part; clients trust it by `NODE_EXTRA_CA_CERTS` or as their CA. */
    readonly certificate: Certificate;
    /**
     * Starts a process with its output in `logs/<name>.log` and waits until it is ready. The log of the run before is kept as
     * `<name>.previous.log`.
     * @throws ProcessStartError when it ends before it is ready, or is not in time; it is not left running
     */
    spawn(options: SpawnOptions): Promise<Process>;
    /** Has this done when the workshop stops, before what was there earlier is ended. */
    onStop(end: () => Promise<void>): void;
    /** Ends everything in reverse order and gives the folder free. Once; later calls wait for the first. */
    stop(): Promise<void>;
}

export interface SpawnOptions {
    /** Unique among the workshop's running processes: letters, digits, `.`, `_` and `-`. */
    readonly name: string;
    readonly command: string;
    readonly args: readonly string[];
    /** Added to this process's own environment. */
    readonly env?: Readonly<Record<string, string>>;
    /** False: `env` is the whole environment. @default true */
    readonly inheritEnv?: boolean;
    /** @default this process's own */
    readonly cwd?: string;
    /** Asked again and again until it says yes; throwing counts as no. */
    readonly ready: (pid: number) => Promise<boolean>;
    /** Time to become ready. @default 60,000 */
    readonly timeoutMs?: number;
}

/** A process of a workshop. */
export interface Process {
    readonly pid: number;
    readonly logFile: string;
    /** Ends it and what it has forked: SIGTERM, and SIGKILL after ten seconds. */
    stop(): Promise<void>;
    /** Its exit code once it has ended; null when a signal ended it. */
    readonly exited: Promise<number | null>;
}

export class WorkshopError extends Error {
    override readonly name: string = "WorkshopError";
}

/** Another process has the workshop's folder open. */
export class WorkshopInUseError extends WorkshopError {
    override readonly name = "WorkshopInUseError";
}

/** A process did not become ready; the message has the end of its log and says where the log is. */
export class ProcessStartError extends WorkshopError {
    override readonly name = "ProcessStartError";
}

/** How long a process has to end by itself: databases write down what they hold. */
const graceMs = 10_000;

/**
 * Opens the workshop in this folder, which is made when it is not there. Processes that an owner left who was killed are ended first,
 * those of the project's other workshops too.
 * @throws WorkshopInUseError naming the process that has it open
 */
export async function openWorkshop(dir: string): Promise<Workshop> {
    mkdirSync(path.join(dir, "run"), { recursive: true });
    mkdirSync(path.join(dir, "logs"), { recursive: true });
    const realDir = realpathSync(dir);
    const lockName = `workshop ${realDir}`;
    const lock = await tryLock(lockName);
    if (lock === undefined) {
        const holder = await lockHolder(lockName);
        throw new WorkshopInUseError(`${realDir} is in use by process ${holder ?? "unknown"}: end that run first, or use another folder`);
    }
    try {
        await endLeftovers(realDir, graceMs);
        return new OpenWorkshop(realDir, await loadCertificate(), lock);
    } catch (error) {
        await lock.release();
        throw error;
    }
}

class OpenWorkshop implements Workshop {
    readonly #ends = new Set<() => Promise<void>>();
    readonly #names = new Set<string>();
    readonly #owner: ProcessId;
    #stopped: Promise<void> | undefined;

    constructor(
        readonly dir: string,
        readonly certificate: Certificate,
        private readonly lock: Lock,
    ) {
        const owner = identify(process.pid);
        if (owner === undefined) {
            throw new WorkshopError("/proc does not tell of this process: the local parts need Linux");
        }
        this.#owner = owner;
    }

    async spawn(options: SpawnOptions): Promise<Process> {
        const { name } = options;
        if (this.#stopped !== undefined) {
            throw new WorkshopError(`${this.dir} is stopped: ${name} cannot start in it`);
        }
        if (!/^[\w.-]+$/.test(name) || this.#names.has(name)) {
            throw new WorkshopError(`process name "${name}" is ${this.#names.has(name) ? "taken" : "not of letters, digits, '.', '_' and '-'"}`);
        }
        this.#names.add(name);
        try {
            const started = await this.#start(options);
            await becomeReady(started, options);
            return started;
        } catch (error) {
            this.#names.delete(name);
            throw error;
        }
    }

    async #start({ name, command, args, env, inheritEnv = true, cwd }: SpawnOptions): Promise<Process> {
        const logFile = path.join(this.dir, "logs", `${name}.log`);
        if (existsSync(logFile)) {
            renameSync(logFile, path.join(this.dir, "logs", `${name}.previous.log`));
        }
        const log = openSync(logFile, "w");
        // A group of its own: a Ctrl-C in the terminal reaches this process alone, which ends the others in order, and what a
        // server forks can be ended with it.
        const child = spawnProcess(command, args, { cwd, env: inheritEnv ? { ...process.env, ...env } : { ...env }, detached: true, stdio: ["ignore", log, log] });
        closeSync(log);
        const { pid } = child;
        if (pid === undefined) {
            const [error] = (await once(child, "error").catch((cause: unknown) => [cause])) as [Error];
            throw new ProcessStartError(`${name}: ${command} cannot be started in ${cwd ?? process.cwd()}: ${error.message}`, { cause: error });
        }
        const id = identify(pid);
        const forget = id === undefined ? undefined : record(this.dir, { name, process: id, owner: this.#owner });
        const end = async (): Promise<void> => {
            if (id !== undefined) {
                await endGroup(id, graceMs);
            }
            await exited;
        };
        const exited = new Promise<number | null>((resolve) =>
            child.once("exit", (code) => {
                signalGroup(pid, "SIGKILL");
                forget?.();
                this.#names.delete(name);
                this.#ends.delete(end);
                resolve(code);
            }),
        );
        this.#ends.add(end);
        return { pid, logFile, stop: end, exited };
    }

    onStop(end: () => Promise<void>): void {
        this.#ends.add(end);
    }

    stop(): Promise<void> {
        this.#stopped ??= this.#end();
        return this.#stopped;
    }

    async #end(): Promise<void> {
        const errors: unknown[] = [];
        for (const end of [...this.#ends].reverse()) {
            await end().catch((error: unknown) => errors.push(error));
        }
        await this.lock.release();
        if (errors.length > 0) {
            throw new AggregateError(errors, `${this.dir}: not all could be ended: ${errors.map(String).join("; ")}`);
        }
    }
}

async function becomeReady(started: Process, { name, ready, timeoutMs = 60_000 }: SpawnOptions): Promise<void> {
    const ended = started.exited.then((code) => ({ code }));
    const late = new AbortController();
    const timeout = delay(timeoutMs, "late" as const, { signal: late.signal });
    timeout.catch(() => undefined);
    try {
        for (let waitMs = 20; ; waitMs = Math.min(2 * waitMs, 200)) {
            const answer = await Promise.race([ready(started.pid).catch(() => false), ended, timeout]);
            if (answer === "late") {
                await started.stop();
                throw startError(`${name} was not ready after ${timeoutMs} ms`, started.logFile);
            }
            if (typeof answer === "object") {
                throw startError(`${name} ended with ${answer.code ?? "a signal"} before it was ready`, started.logFile);
            }
            if (answer) {
                return;
            }
            await Promise.race([delay(waitMs), ended]);
        }
    } finally {
        late.abort();
    }
}

function startError(what: string, logFile: string): ProcessStartError {
    const tail = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-20).join("\n");
    return new ProcessStartError(`${what}; the end of ${logFile}:\n${tail}`);
}
