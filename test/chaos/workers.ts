import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { record } from "../../local/parts/leftovers";
import { identify, type ProcessId } from "../../local/parts/processes";
import { tail } from "../../local/parts/run";
import type { Workshop } from "../../local/parts/workshop";
import type { Order, Outcome } from "./orders";

/** How an invocation ended: by itself, or by the kill that was ordered. */
export type Ending = Outcome | "killed";

/** An invocation under way. */
export interface Running {
    readonly ending: Promise<Ending>;
    /** Settles when the worker has halted at the point of its order; false when it came to its end without. */
    readonly halted: Promise<boolean>;
    /** Lets a worker that halted go on. */
    goOn(): void;
}

/** Instances of the Function App: processes of the real handlers' code. */
export interface Workers {
    /** Runs an order in a new process, which ends after it: the order's outside calls are the same each time. */
    start(order: Order): Running;
    /** Runs an order in a process that has run others, if there is one, and that stays for the next. */
    startWarm(order: Order): Running;
    stop(): Promise<void>;
}

interface Worker {
    readonly process: ChildProcess;
    readonly ready: Promise<unknown>;
    readonly ended: Promise<[number | null, NodeJS.Signals | null]>;
}

/**
 * Bundles the handlers as they are deployed and keeps a started process in reserve, so that an order need not wait for one. Processes end
 * with this one, and be it by a kill: they hang on its channel, and one that is stopped is ended by whoever opens a workshop next.
 */
export async function startWorkers(workshop: Workshop, appSettings: Readonly<Record<string, string>>): Promise<Workers> {
    const script = path.join(workshop.dir, "workers", "worker.js");
    await build({
        entryPoints: [path.join(__dirname, "worker.ts")],
        outfile: script,
        bundle: true,
        platform: "node",
        target: "node24",
        format: "cjs",
        logLevel: "silent",
    });
    const env = { ...process.env, ...appSettings, NODE_COMPILE_CACHE: path.join(workshop.dir, "workers", "compiled") };
    const logFile = path.join(workshop.dir, "logs", "workers.log");
    const alive = new Set<ChildProcess>();
    const logged = () => tail(readFileSync(logFile, "utf8"));
    const owner = identify(process.pid) as ProcessId;
    const idle: Worker[] = [];
    let reserve: Worker | undefined;

    function boot(): Worker {
        const log = openSync(logFile, "a");
        const child = fork(script, { env, stdio: ["ignore", log, log, "ipc"], detached: true });
        closeSync(log);
        const id = identify(child.pid as number);
        const forget = id && record(workshop.dir, { name: "worker", process: id, owner });
        alive.add(child);
        const ended = once(child, "exit") as Worker["ended"];
        void ended.then(() => {
            alive.delete(child);
            forget?.();
        });
        const ready = Promise.race([
            once(child, "message"),
            ended.then(([code]) => Promise.reject(new Error(`a worker ended with ${code} at its start:\n${logged()}`))),
        ]);
        ready.catch(() => undefined);
        return { process: child, ready, ended };
    }

    function fresh(): Worker {
        const worker = (reserve ??= boot());
        reserve = undefined;
        return worker;
    }

    function run(worker: Worker, order: Order, release: (worker: Worker) => Promise<unknown>): Running {
        const { process: child, ready, ended } = worker;
        const ending = ready.then(async (): Promise<Ending> => {
            reserve ??= boot();
            const answer = once(child, "message") as Promise<[Outcome]>;
            child.send(order);
            const first = await Promise.race([answer, ended.then(() => undefined)]);
            if (first !== undefined) {
                await release(worker);
                return first[0];
            }
            const [code, signal] = await ended;
            if (signal !== "SIGKILL" || order.killAt === undefined) {
                throw new Error(`a worker of ${order.work} ended with ${signal ?? code} and without an answer:\n${logged()}`);
            }
            return "killed";
        });
        const halted = async (): Promise<boolean> => {
            const finished = ending.then(
                () => true,
                () => true,
            );
            while (!isStopped(child.pid as number)) {
                if (await Promise.race([finished, sleep(5)])) {
                    return false;
                }
            }
            return true;
        };
        return {
            ending,
            halted: order.haltAt === undefined ? Promise.resolve(false) : halted(),
            goOn: () => void child.kill("SIGCONT"),
        };
    }

    return {
        start: (order) =>
            run(fresh(), order, ({ process: child, ended }) => {
                // Its connections end as those of an instance that is taken away after its work.
                child.disconnect();
                return ended;
            }),
        startWarm: (order) => run(idle.pop() ?? fresh(), order, (worker) => Promise.resolve(idle.push(worker))),
        async stop() {
            await Promise.all(
                [...alive].map(async (child) => {
                    const gone = once(child, "exit");
                    child.kill("SIGKILL");
                    await gone;
                }),
            );
        },
    };
}

/** Whether a process was stopped by a signal: the third field, after the name in brackets (proc_pid_stat(5)). */
function isStopped(pid: number): boolean {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
    } catch {
        return false;
    }
}
