import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { statisticsFolder } from "../functions/contracts";
import { holdsCounts, readStatistics, type Statistics, StatisticsError, sumStatistics } from "../functions/drift/statistics";
import { projectDir } from "../local/parts/paths";
import { ensurePython } from "../local/parts/python";
import { run, tail } from "../local/parts/run";

const modelStatistics = "statistics.json";

/**
 * The counts of a model folder, of a batch job's or a day's output, of a file of counts, or of a file of players.
 *
 * @param other what it is compared with: players are counted with the model whose folder that is
 * @throws StatisticsError saying what was expected in its place.
 */
export async function readPlayers(place: string, other: string): Promise<Statistics> {
    if (!existsSync(place)) {
        throw new StatisticsError(`${place}: there is no such file or folder`);
    }
    if (!statSync(place).isDirectory()) {
        const text = place.endsWith(".json") ? readFileSync(place, "utf8") : "";
        return /^\s*\{\s*"shape"/.test(text) ? readStatistics(text, place) : countPlayers(place, other);
    }
    if (isModelFolder(place)) {
        return { ...readStatistics(readFileSync(path.join(place, modelStatistics), "utf8"), place), modelVersion: versionOf(place) };
    }
    const files = countsBelow(place);
    if (files.length === 0) {
        throw new StatisticsError(`${place}: neither a model folder (${modelStatistics}) nor output of a batch job (${statisticsFolder}/*.json)`);
    }
    return sumStatistics(files.map((file) => readStatistics(readFileSync(file, "utf8"), file)), files);
}

function isModelFolder(folder: string): boolean {
    return existsSync(path.join(folder, "model.json")) && existsSync(path.join(folder, modelStatistics));
}

function versionOf(folder: string): string {
    return (JSON.parse(readFileSync(path.join(folder, "model.json"), "utf8")) as { readonly version: string }).version;
}

/** A day may have several jobs. */
function countsBelow(folder: string): string[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name))
        .filter(holdsCounts)
        .sort();
}

async function countPlayers(file: string, model: string): Promise<Statistics> {
    if (!isModelFolder(model)) {
        throw new StatisticsError(`${file}: players are counted with a model, and ${model} is no model folder`);
    }
    const { exitCode, output } = await run(await ensurePython(), [path.join(projectDir, "ml", "count_players.py"), "--model", model, file]);
    if (exitCode !== 0) {
        throw new StatisticsError(tail(output));
    }
    return readStatistics(output, file);
}
