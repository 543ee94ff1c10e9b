import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { DefaultAzureCredential } from "@azure/identity";
import { ContainerClient } from "@azure/storage-blob";
import { Command } from "commander";
import { containers } from "../functions/contracts";
import { type Comparison, comparisonSchema } from "../functions/predict/comparison-log";
import { compareModels, comparisonTable } from "./compare-models";

/** Exit code where there is nothing to compare, or what is there is none of it. */
const badInput = 2;

class ComparisonError extends Error {
    override readonly name = "ComparisonError";
}

void new Command("compare")
    .description("Puts a challenger and the model in service side by side: players, time, probabilities, labels, segments.")
    .argument("<source>", `folder or file of comparisons (JSON Lines), or the lake's blob address, whose container ${containers.comparisons} is read as you (az login)`)
    .option("--day <yyyy-mm-dd>", "reads one day alone")
    .option("--json", "prints JSON", false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : badInput))
    .action(async (source: string, { day, json }: { readonly day?: string; readonly json: boolean }) => {
        try {
            const texts = /^https?:\/\//.test(source) ? await lakeFiles(source, day) : localFiles(source, day);
            const comparisons = texts.flatMap(({ place, text }) => read(text, place));
            if (comparisons.length === 0) {
                throw new ComparisonError(`${source}: there are no comparisons${day === undefined ? "" : ` of ${day}`}: a challenger writes some within a minute of its first players`);
            }
            const comparison = compareModels(comparisons);
            console.log(json ? JSON.stringify(comparison, undefined, 2) : comparisonTable(comparison));
        } catch (error) {
            console.error(`compare: ${error instanceof Error ? error.message : String(error)}`);
            process.exitCode = badInput;
        }
    })
    .parseAsync();

interface ComparisonFile {
    readonly place: string;
    readonly text: string;
}

function localFiles(source: string, day: string | undefined): ComparisonFile[] {
    if (!existsSync(source)) {
        throw new ComparisonError(`${source}: there is no such file or folder`);
    }
    const files = statSync(source).isDirectory()
        ? readdirSync(source, { recursive: true, encoding: "utf8" })
              .filter((name) => name.endsWith(".jsonl") && (day === undefined || name.split(path.sep).includes(day)))
              .map((name) => path.join(source, name))
              .sort()
        : [source];
    return files.map((file) => ({ place: file, text: readFileSync(file, "utf8") }));
}

async function lakeFiles(address: string, day: string | undefined): Promise<ComparisonFile[]> {
    const container = new ContainerClient(`${address.replace(/\/$/, "")}/${containers.comparisons}`, new DefaultAzureCredential());
    const files: ComparisonFile[] = [];
    for await (const { name } of container.listBlobsFlat({ prefix: day === undefined ? "" : `${day}/` })) {
        files.push({ place: name, text: (await container.getBlobClient(name).downloadToBuffer()).toString("utf8") });
    }
    return files;
}

function read(text: string, place: string): Comparison[] {
    return text.split("\n").flatMap((line, i) => {
        if (line === "") {
            return [];
        }
        try {
            return [comparisonSchema.parse(JSON.parse(line))];
        } catch {
            throw new ComparisonError(`${place}:${i + 1}: no comparison of models: ${line.slice(0, 80)}`);
        }
    });
}
