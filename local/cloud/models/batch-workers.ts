import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

export interface WorkerOptions {
    readonly python: string;
    /** Full path of the batch scoring script. */
    readonly script: string;
    readonly modelDir: string;
    /** Where the script writes its own files: `AZUREML_BI_OUTPUT_PATH`. */
    readonly outputDir: string;
    readonly logFile: string;
    /** Ends the worker at once, whatever it is doing. */
    readonly signal: AbortSignal;
}

/** One mini-batch could not be scored; the message is the script's. */
export class MiniBatchError extends Error {
    override readonly name = "MiniBatchError";
}

/** A worker process of a batch job. */
export class BatchWorker {
    readonly #process: ChildProcessWithoutNullStreams;
    readonly #answers: AsyncIterableIterator<string>;
    readonly #log: WriteStream;

    constructor(options: WorkerOptions) {
        this.#log = createWriteStream(options.logFile, { flags: "a" });
        this.#process = spawn(options.python, [path.join(__dirname, "batch_worker.py"), options.script], {
            env: {
                PATH: process.env.PATH ?? "",
                AZUREML_MODEL_DIR: options.modelDir,
                AZUREML_BI_OUTPUT_PATH: options.outputDir,
                PYTHONUNBUFFERED: "1",
                PYTHONDONTWRITEBYTECODE: "1",
            },
            signal: options.signal,
            killSignal: "SIGKILL",
        });
        // The abort is told by the answer that does not come.
        this.#process.on("error", () => undefined);
        this.#process.stderr.pipe(this.#log);
        // A worker that died breaks this pipe; the missing answer below says so.
        this.#process.stdin.on("error", () => undefined);
        this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    }

    /** Scores one mini-batch. @throws MiniBatchError when the script raised or the worker died */
    async run(files: readonly string[]): Promise<void> {
        this.#process.stdin.write(`${JSON.stringify(files)}\n`);
        const answer = await this.#answers.next();
        if (answer.done === true) {
            throw new MiniBatchError(`the worker ended with ${this.#process.exitCode ?? this.#process.signalCode ?? "no answer"}`);
        }
        const { error } = JSON.parse(answer.value) as { readonly error?: string };
        if (error !== undefined) {
            throw new MiniBatchError(error);
        }
    }

    /** Lets the worker end after what it is doing. */
    close(): void {
        this.#process.stdin.end();
    }
}
