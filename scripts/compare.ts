import { DefaultAzureCredential } from "@azure/identity";
import { Command } from "commander";
import { containers } from "../functions/contracts";
import { comparisonSchema } from "../functions/predict/comparison-log";
import { compareModels, comparisonTable } from "./compare-models";
import { firstLine, readJsonLines, SourceError } from "./json-lines";

/** Exit code where there is nothing to compare, or what is there is none of it. */
const badInput = 2;

void new Command("compare")
    .description("Puts a challenger and the model in service side by side: players, time, probabilities, labels, segments.")
    .argument("<source>", `folder or file of comparisons (JSON Lines), or the lake's blob address, whose container ${containers.comparisons} is read as you (az login)`)
    .option("--day <yyyy-mm-dd>", "reads one day alone")
    .option("--json", "prints JSON", false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : badInput))
    .action(async (source: string, { day, json }: { readonly day?: string; readonly json: boolean }) => {
        try {
            const comparisons = await readJsonLines({
                source,
                container: containers.comparisons,
                day,
                credential: () => new DefaultAzureCredential(),
                schema: comparisonSchema,
                what: "comparison of models",
            });
            if (comparisons.length === 0) {
                throw new SourceError(`${source}: there are no comparisons${day === undefined ? "" : ` of ${day}`}: a challenger writes some within a minute of its first players`);
            }
            const comparison = compareModels(comparisons);
            console.log(json ? JSON.stringify(comparison, undefined, 2) : comparisonTable(comparison));
        } catch (error) {
            console.error(`compare: ${firstLine(error)}`);
            process.exitCode = badInput;
        }
    })
    .parseAsync();
