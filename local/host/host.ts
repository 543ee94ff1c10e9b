import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import * as z from "zod";
import { Admin, type Trigger } from "./admin";
import { Core } from "./core";
import { PackageError } from "./errors";
import { readFunctions, type TriggeredFunction } from "./functions";
import { readHostConfig, type HostConfig } from "./host-config";
import { HttpFrontEnd } from "./http";
import { sendStatus } from "./http-message";
import { BackgroundInvocations } from "./invocation";
import { createLog, type Log } from "./log";
import { QueueTrigger } from "./queues";
import { RouteTable } from "./routes";
import { TimerTrigger } from "./timers";
import type { WorkerOptions } from "./worker-options";

/** For how long what is running may go on after the host was told to end; a workshop kills it after ten seconds. */
const graceMs = 8_000;

/** A package at work in this process. */
export class Host {
    #server: Server | undefined;
    #answer: RequestListener = (_request, response) => {
        sendStatus(response, 503, {}, "the host is starting");
    };
    #frontEnd: HttpFrontEnd | undefined;
    #timers: TimerTrigger[] = [];
    #queues: QueueTrigger[] = [];
    readonly #config: HostConfig;
    readonly #log: Log;
    readonly #core: Core;
    readonly #invocations: BackgroundInvocations;

    /** @throws PackageError when host.json is missing or wrong */
    constructor(private readonly options: WorkerOptions) {
        this.#config = readHostConfig(options.packageDir);
        this.#log = createLog(this.#config.logLevel, (line) => process.stdout.write(line), () => new Date());
        this.#core = new Core(this.#log);
        this.#invocations = new BackgroundInvocations(this.#core, this.#log, () => performance.now());
    }

    /**
     * Listens, loads the package and starts its triggers.
     *
     * @returns the host's address
     * @throws PackageError when the package cannot run, or what its code throws while it loads
     */
    async start(): Promise<string> {
        const { packageDir, port, keys } = this.options;
        // The address comes first: the package may read it while it loads.
        // Requests without a body, which most are, spare the stream of one.
        this.#server = createServer({ optimizeEmptyRequests: true }, (request, response) => {
            this.#answer(request, response);
        });
        const address = `127.0.0.1:${await listen(this.#server, port)}`;
        process.env["WEBSITE_HOSTNAME"] = address;

        this.#core.install();
        process.chdir(packageDir);
        load(packageDir);
        const functions = await this.#readFunctions();
        const triggers = this.#buildTriggers(functions);
        const http = functions.filter((triggered) => triggered.kind === "http");
        const routes = new RouteTable(http.filter(({ disabled }) => !disabled), this.#config.routePrefix);
        await this.#core.start(packageDir);

        this.#frontEnd = new HttpFrontEnd(this.#core, routes, new Admin(functions, triggers, keys), keys, this.#log);
        this.#answer = this.#frontEnd.listener;
        for (const trigger of [...this.#timers, ...this.#queues].filter(({ target }) => !target.disabled)) {
            trigger.start();
        }
        const names = functions.map(({ registered, kind, disabled }) => `${registered.metadata.name} (${disabled ? "disabled " : ""}${kind})`);
        this.#log.write("information", `listening on http://${address}: ${names.join(", ")}`);
        return `http://${address}`;
    }

    /** Takes nothing new, lets what runs come to its end within the grace, and runs the hooks of the end. */
    async stop(): Promise<void> {
        this.#log.write("information", "ending: no new work is taken");
        this.#frontEnd?.drain();
        for (const timer of this.#timers) {
            timer.stop();
        }
        const ends = [close(this.#server), ...this.#queues.map((queue) => queue.stop()), this.#invocations.settle()];
        const ended = await within(Promise.all(ends), graceMs);
        if (!ended) {
            this.#log.write("warning", `ending with work unfinished: the grace of ${graceMs} ms is over`);
        }
        await this.#core.terminate();
    }

    async #readFunctions(): Promise<TriggeredFunction[]> {
        const { HttpUri } = await this.#core.model.getCapabilities({});
        if (HttpUri !== undefined) {
            throw new PackageError("the package sets enableHttpStream; the local host hands bodies over whole");
        }
        if (this.#core.functions.size === 0) {
            throw new PackageError("the package registers no functions");
        }
        return readFunctions(this.#core.functions.values(), process.env);
    }

    #buildTriggers(functions: readonly TriggeredFunction[]): Map<string, Trigger> {
        const triggers = new Map<string, Trigger>();
        const reason = "This function was programmatically called via the host APIs.";
        for (const triggered of functions) {
            const { name } = triggered.registered.metadata;
            switch (triggered.kind) {
                case "timer": {
                    const timer = new TimerTrigger(triggered, this.#invocations, () => new Date());
                    this.#timers.push(timer);
                    triggers.set(name, () => void timer.run(reason));
                    break;
                }
                case "queue": {
                    const queue = new QueueTrigger(triggered, this.#invocations, this.#config.queues, this.#log);
                    this.#queues.push(queue);
                    triggers.set(name, (input) => void queue.run(input, reason));
                    break;
                }
                case "http":
                    break;
            }
        }
        return triggers;
    }
}

/** Loads the package's entry point, which registers its functions. */
function load(packageDir: string): void {
    const file = path.join(packageDir, "package.json");
    const { main } = z.object({ main: z.string() }).parse(JSON.parse(readFileSync(file, "utf8")));
    createRequire(file)(path.resolve(packageDir, main));
}

/** @returns the port: the preferred one or, where that is taken, any */
async function listen(server: Server, preferred: number): Promise<number> {
    try {
        return await listenOn(server, preferred);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") {
            throw error;
        }
        return listenOn(server, 0);
    }
}

function listenOn(server: Server, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", () => {
            server.off("error", reject);
            const address = server.address();
            resolve(typeof address === "object" && address !== null ? address.port : port);
        });
    });
}

function close(server: Server | undefined): Promise<void> {
    return new Promise((resolve) => {
        if (server === undefined) {
            resolve();
        } else {
            server.close(() => {
                resolve();
            });
        }
    });
}

/** Whether `work` ended in time. */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
        timer = setTimeout(resolve, ms, false);
    });
    try {
        return await Promise.race([work.then(() => true as const), late]);
    } finally {
        clearTimeout(timer);
    }
}
