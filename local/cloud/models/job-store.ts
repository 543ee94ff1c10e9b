import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Workshop } from "../../parts/workshop";

/** What is known of a job of any kind. */
interface AnyJob {
    readonly name: string;
    status: "Running" | "Completed" | "Failed";
}

/** Jobs by their names, in files, and those that run: Azure ML's go on when this machine's processes do not. */
export class JobStore<Job extends AnyJob> {
    readonly #dir: string;
    readonly #running = new Map<string, Promise<void>>();
    readonly #stopping = new AbortController();

    /** @param kind names its folder in the workshop */
    constructor(
        private readonly workshop: Workshop,
        kind: string,
    ) {
        this.#dir = path.join(workshop.dir, kind);
        workshop.onStop(async () => {
            this.#stopping.abort();
            await Promise.all(this.#running.values());
        });
    }

    /** Whether a stop has interrupted the job's work, which then has to be done again. */
    wasInterrupted({ name, status }: Job): boolean {
        return status === "Running" && !this.#running.has(name);
    }

    /**
     * Does a job's work and keeps how it ended; one that a stop interrupts stays a running one.
     *
     * @param work fails where the job does; its signal is the stop
     * @param ended is called after what the job has become was kept
     */
    run(job: Job, work: (signal: AbortSignal) => Promise<void>, ended: () => Promise<void>): void {
        this.#running.set(
            job.name,
            this.#toItsEnd(job, work, ended).finally(() => this.#running.delete(job.name)),
        );
    }

    async #toItsEnd(job: Job, work: (signal: AbortSignal) => Promise<void>, ended: () => Promise<void>): Promise<void> {
        const { signal } = this.#stopping;
        try {
            await work(signal);
            job.status = "Completed";
        } catch (error) {
            if (signal.aborted) {
                return;
            }
            job.status = "Failed";
            appendFileSync(this.logFile(job), `${error instanceof Error ? error.message : String(error)}\n`);
        }
        this.save(job);
        await ended();
    }

    /** A folder for what a job works with. */
    dirOf({ name }: Job): string {
        return path.join(this.#dir, name);
    }

    logFile({ name }: Job): string {
        return path.join(this.workshop.dir, "logs", `${name}.log`);
    }

    save(job: Job): void {
        mkdirSync(this.#dir, { recursive: true });
        writeFileSync(this.#file(job.name), JSON.stringify(job));
    }

    /** Undefined when there is no such job. */
    load(name: string): Job | undefined {
        const file = this.#file(name);
        return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Job) : undefined;
    }

    all(): Job[] {
        const files = existsSync(this.#dir) ? readdirSync(this.#dir).filter((name) => name.endsWith(".json")) : [];
        return files.flatMap((file) => this.load(path.basename(file, ".json")) ?? []);
    }

    clear(): void {
        rmSync(this.#dir, { recursive: true, force: true });
    }

    #file(name: string): string {
        return path.join(this.#dir, `${path.basename(name)}.json`);
    }
}
