import { Command } from "commander";
import { type ColumnDrift, compareStatistics, defaultLimits, type DriftLimits, type DriftReport, hasDrifted } from "../functions/drift/compare";
import { readPlayers } from "./drift-sources";
import { aboveZero } from "./numbers";
import { percent, textTable } from "./text-table";

/** Exit codes: 0 nothing has drifted, 1 something has, 2 what was given cannot be compared. */
const drifted = 1;
const badInput = 2;

interface DriftOptions {
    readonly limit: string;
    readonly unseenLimit: string;
    readonly json: boolean;
}

void new Command("drift")
    .description("Compares the players of a day with those that a model was trained on: population stability index, unseen categories, shift of scores.")
    .argument("<before>", "a model folder, or what <now> takes")
    .argument("<now>", "the output folder of a batch job or of a day, a file of counts, or a file of players (CSV, JSON Lines, either gzipped)")
    .option("--limit <psi>", "index above which a column has drifted", String(defaultLimits.psi))
    .option("--unseen-limit <share>", "share of players, from 0 to 1, with unseen categories above which a column has drifted", String(defaultLimits.unseen))
    .option("--json", "prints the report as JSON", false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : badInput))
    .action(async (before: string, now: string, { limit, unseenLimit, json }: DriftOptions) => {
        try {
            const limits = { psi: aboveZero("--limit", limit), unseen: aboveZero("--unseen-limit", unseenLimit) };
            const report = compareStatistics(await readPlayers(before, now), await readPlayers(now, before), limits);
            console.log(json ? JSON.stringify(report, undefined, 2) : table(report, limits));
            process.exitCode = report.drifted.length > 0 ? drifted : 0;
        } catch (error) {
            console.error(`drift: ${error instanceof Error ? error.message : String(error)}`);
            process.exitCode = badInput;
        }
    })
    .parseAsync();

function table({ modelVersion, players, columns, drifted: names, tooFew }: DriftReport, limits: DriftLimits): string {
    const header = ["column", "kind", "PSI", "mean before", "now", "unseen", "missing"];
    const rows = columns.map((column) => [
        `${hasDrifted(column, limits) ? "* " : "  "}${column.name}`,
        column.kind,
        column.psi.toFixed(4),
        column.mean?.before.toFixed(4) ?? "",
        column.mean?.now.toFixed(4) ?? "",
        unseen(column),
        column.missing ? percent(column.missing) : "",
    ]);
    const above = `above ${limits.psi}, or ${percent(limits.unseen)} unseen`;
    const verdict = tooFew ? "too few players to say" : names.length === 0 ? `no column is ${above}` : `${above}: ${names.join(", ")}`;
    return [`model ${modelVersion ?? "unknown"}, players ${players.before} before, ${players.now} now`, "", ...textTable([header, ...rows]), "", verdict].join("\n");
}

function unseen({ unseen: counted }: ColumnDrift): string {
    return counted === undefined || counted.share === 0 ? "" : `${percent(counted.share)} (${counted.texts.join(", ")})`;
}
