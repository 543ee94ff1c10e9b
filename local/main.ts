import path from "node:path";
import { Command, Option } from "commander";
import { compareWithTraining, fireTimer, uploadPlayers, waitForPlayers } from "./cold-path";
import { runEngineCommand, type EngineCommand } from "./engine/command";
import { sharedDir } from "./parts/paths";
import { openWorkshop } from "./parts/workshop";
import { Progress } from "./progress";
import { answerOf, report, sampleCall } from "./report";
import { startLocalStack } from "./stack";

interface CliOptions {
    readonly data?: string;
    readonly once: boolean;
    readonly dir: string;
    readonly engine: boolean;
    readonly preview: boolean;
    readonly refresh: boolean;
    readonly destroy: boolean;
    readonly expectNoChanges: boolean;
}

const engineCommands = ["preview", "refresh", "destroy"] as const satisfies readonly EngineCommand[];

/** Brings the stack up, sends a day's players through the cold path, asks for one of them, and stays up unless told otherwise. */
async function run(options: CliOptions): Promise<void> {
    const { data, dir, engine, expectNoChanges } = options;
    const command = engineCommands.find((each) => options[each]);
    const once = options.once || command !== undefined;
    const progress = new Progress();
    const workshop = await openWorkshop(path.resolve(dir));
    const interrupted = new Promise<void>((resolve) => {
        process.once("SIGINT", () => resolve());
        process.once("SIGTERM", () => resolve());
    });
    const work = (async () => {
        if (command !== undefined) {
            await runEngineCommand(workshop, command, { expectNoChanges }, progress);
            return;
        }
        const stack = await startLocalStack(workshop, { dir, data: data && path.resolve(data), progress, engine: engine ? { expectNoChanges } : undefined });
        const key = await uploadPlayers(stack.studio, stack.data, new Date());
        progress.step(`put s3://${stack.studio.bucket}/${key}; firing the ingest timer`);
        await fireTimer(stack.app, "ingest");
        const { players, counts } = await waitForPlayers(stack.data, stack.stores, stack.app);
        progress.step("every player is in MySQL and in Redis");
        const call = await sampleCall(stack.app, stack.data);
        const answer = await answerOf(stack.app, call.body);
        progress.step("the endpoint answers");
        const drift = await compareWithTraining(stack.app);
        progress.step("the players are compared with those of the training");
        console.log(report({ connections: stack.connections, players, counts, drift, call, answer, dir: workshop.dir }));
    })();
    try {
        await Promise.race([work, interrupted]);
        if (!once) {
            console.log("Up until Ctrl-C.");
            await interrupted;
        }
    } finally {
        // Work that an interrupt left behind fails when its servers end; that is no news.
        work.catch(() => undefined);
        await workshop.stop();
    }
}

function engineOption(flag: `--${EngineCommand}`, description: string): Option {
    const others = engineCommands.filter((each) => `--${each}` !== flag);
    return new Option(flag, description).default(false).implies({ engine: true }).conflicts([...others]);
}

new Command("local")
    .description("The whole stack on this machine: the program of infra/ against a local cloud of real servers.")
    .option("--data <file>", "players to train on and to send through the cold path: CSV or JSON Lines, gzipped or not (default: 2,000 generated ones)")
    .option("--once", "exit when every player was followed to the end; with an error when anything is missing", false)
    .option("--dir <folder>", "where the stack keeps its data, keys and logs", path.join(sharedDir, "stack"))
    .option("--engine", "run the program by the Pulumi CLI, with a state, instead of in this process", false)
    .addOption(engineOption("--preview", "show what --engine would change, and exit"))
    .addOption(engineOption("--refresh", "take over into the state what was changed behind its back, and exit"))
    .addOption(engineOption("--destroy", "remove what the engine made, but for what is protected, and exit"))
    .addOption(new Option("--expect-no-changes", "with --engine: fail when anything is to change").default(false).implies({ engine: true }).conflicts("destroy"))
    .action(async (options: CliOptions) => {
        try {
            await run(options);
            process.exit(0);
        } catch (error) {
            console.error(`\n${error instanceof Error ? error.message : String(error)}`);
            process.exit(1);
        }
    })
    .parse();
