import { ensurePython } from "../local/parts/python";
import { run } from "../local/parts/run";

/**
 * Runs a script of `ml/` in the project's Python environment, which is made first when it is not there:
 *
 *     tsx scripts/python.ts ml/train.py --data players.csv
 *
 * @returns the script's exit code
 */
async function main(argv: readonly string[]): Promise<number> {
    const python = await ensurePython();
    const { exitCode } = await run(python, argv, { inherit: true });
    // None when a signal ended it.
    return exitCode ?? 1;
}

main(process.argv.slice(2)).then(
    (code) => {
        process.exitCode = code;
    },
    (error: unknown) => {
        console.error(error instanceof Error ? error.message : error);
        process.exitCode = 1;
    },
);
