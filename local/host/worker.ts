import { readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { PackageError } from "./errors";
import { Host } from "./host";
import { errorText } from "./log";
import type { WorkerOptions } from "./worker-options";

/** The host's process: `worker <file of WorkerOptions>`. Ends with 0 when told to, and with 1 when the package cannot run. */
async function main(optionsFile: string): Promise<void> {
    const options = JSON.parse(readFileSync(optionsFile, "utf8")) as WorkerOptions;
    unlinkSync(optionsFile);
    const host = new Host(options);
    const url = await host.start();
    let ending: Promise<void> | undefined;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
        process.on(signal, () => {
            ending ??= host.stop().then(
                () => process.exit(0),
                (error: unknown) => fail(error),
            );
        });
    }
    writeFileSync(`${options.urlFile}.part`, url);
    renameSync(`${options.urlFile}.part`, options.urlFile);
}

function fail(error: unknown): never {
    console.error(error instanceof PackageError ? error.message : errorText(error));
    process.exit(1);
}

main(process.argv[2] ?? "").catch(fail);
