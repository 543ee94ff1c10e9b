import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { download, upload, type BlobFolder } from "./blob-folder";
import { BatchWorker, type WorkerOptions } from "./batch-workers";

/** What a batch job works with. */
export interface BatchJobOptions {
    readonly dir: string;
    readonly input: BlobFolder;
    readonly output: BlobFolder;
    readonly worker: Omit<WorkerOptions, "outputDir">;
    /** Worker processes: nodes times processes a node. */
    readonly workers: number;
    /** Files a mini-batch. */
    readonly miniBatchSize: number;
    readonly maxRetries: number;
    /** Failed mini-batches that the job puts up with; -1 for any number. */
    readonly errorThreshold: number;
}

/** The job failed; the message says which mini-batch and why. */
export class BatchJobError extends Error {
    override readonly name = "BatchJobError";
}

/**
 * Runs one job: mounts the input folder (a download), spreads its mini-batches over worker processes, and moves each file that they
 * write to the output path as soon as it is whole.
 */
export async function runBatchJob(options: BatchJobOptions): Promise<void> {
    const inputDir = path.join(options.dir, "input");
    const outputDir = path.join(options.dir, "output");
    rmSync(options.dir, { recursive: true, force: true });
    mkdirSync(outputDir, { recursive: true });
    const pending = miniBatches(await download(options.input, inputDir), options.miniBatchSize);
    const errors: string[] = [];
    const uploaded = new Set<string>();
    const work = async (): Promise<void> => {
        let worker: BatchWorker | undefined;
        for (let files = pending.shift(); files !== undefined; files = pending.shift()) {
            for (let attempt = 0; ; attempt += 1) {
                worker ??= new BatchWorker({ ...options.worker, outputDir });
                try {
                    await worker.run(files);
                    break;
                } catch (error) {
                    options.worker.signal.throwIfAborted();
                    worker.close();
                    worker = undefined;
                    if (attempt >= options.maxRetries) {
                        errors.push(`${files.map((file) => path.basename(file)).join(", ")}: ${error instanceof Error ? error.message : String(error)}`);
                        break;
                    }
                }
            }
            await upload(options.output, outputDir, uploaded);
        }
        worker?.close();
    };
    await Promise.all(Array.from({ length: options.workers }, work));
    if (options.errorThreshold >= 0 && errors.length > options.errorThreshold) {
        throw new BatchJobError(errors.join("; "));
    }
}

function miniBatches(files: readonly string[], size: number): string[][] {
    return Array.from({ length: Math.ceil(files.length / size) }, (_, index) => files.slice(index * size, (index + 1) * size));
}
