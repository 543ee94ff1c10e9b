import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Workshop } from "../../parts/workshop";

/** Jobs by their names, in files: Azure ML's go on when this machine's processes do not. */
export class JobStore<Job extends { readonly name: string }> {
    readonly #dir: string;

    /** @param kind names its folder in the workshop */
    constructor(
        private readonly workshop: Workshop,
        kind: string,
    ) {
        this.#dir = path.join(workshop.dir, kind);
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
