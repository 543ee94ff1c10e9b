import { program } from "commander";
import { ensureSystemPackages } from "../../local/parts/system";
import { publish, type Row } from "../lib";
import { coldStart } from "./cold-start";
import { endurance } from "./endurance";
import { LoadGenerator } from "./load";
import { manyPlayers } from "./many-players";
import { memory } from "./memory";
import { misses } from "./misses";
import { onePlayer } from "./one-player";
import { Parts } from "./parts";
import { full, quick, type Scale } from "./scale";
import { stampede } from "./stampede";

const sections = { onePlayer, manyPlayers, misses, stampede, endurance, coldStart: withoutLoad(coldStart), memory: withoutLoad(memory) };
type Section = typeof onePlayer;

function withoutLoad(section: (parts: Parts, scale: Scale) => Promise<Row[]>): Section {
    return (parts, _load, scale) => section(parts, scale);
}

/** Measures the hot path; ends with an error when a goal is missed, unless the run was too small to tell. */
async function main(): Promise<void> {
    program
        .description("Measures the hot path against its goals; takes about five minutes of a quiet machine.")
        .option("--quick", "small sizes, to see that the bench works", false)
        .option("--only <sections...>", `of ${Object.keys(sections).join(", ")}`)
        .parse();
    const options = program.opts<{ quick: boolean; only?: string[] }>();
    const scale = options.quick ? quick : full;
    await ensureSystemPackages(["redis-server"]);
    const rows: Row[] = [];
    const load = LoadGenerator.start();
    const parts = await Parts.start();
    try {
        for (const [name, section] of Object.entries(sections)) {
            if (options.only === undefined || options.only.includes(name)) {
                const startedAt = performance.now();
                rows.push(...(await section(parts, load, scale)));
                console.log(`${name}: ${Math.round((performance.now() - startedAt) / 1000)} s`);
            }
        }
    } finally {
        load.stop();
        await parts.stop();
    }
    const reached = publish(options.quick ? "hot-quick" : "hot", rows);
    process.exitCode = reached || options.quick ? 0 : 1;
}

main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
});
