import { createReadStream } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import features from "../ml/features.json";

/** The player file cannot be used. */
export class PlayerFileError extends Error {
    override readonly name = "PlayerFileError";
}

/** One row of a player file, as text by column. */
export type PlayerRow = Readonly<Record<string, string>>;

/** Streams the rows of a player file: CSV with a header or JSON Lines, either gzipped, told by its name. @throws PlayerFileError */
export async function* readPlayers(file: string): AsyncGenerator<PlayerRow> {
    const raw = createReadStream(file);
    const bytes = file.endsWith(".gz") ? raw.pipe(createGunzip()) : raw;
    const isCsv = path.basename(file).replace(/\.gz$/, "").endsWith(".csv");
    for await (const row of isCsv ? bytes.pipe(parse({ bom: true, columns: true, relax_column_count: true })) : jsonLines(bytes)) {
        const player = row as PlayerRow;
        if (player[features.id.name] === undefined) {
            throw new PlayerFileError(`${file}: a row without the column ${features.id.name}, which holds the player's id`);
        }
        yield player;
    }
}

async function* jsonLines(bytes: NodeJS.ReadableStream): AsyncGenerator<unknown> {
    for await (const line of createInterface({ input: bytes })) {
        if (line.trim() !== "") {
            yield JSON.parse(line);
        }
    }
}

/** The features of a row as a caller of the endpoint sends them: without the id, the labels and what the models ignore. */
export function featuresOf(row: PlayerRow): Record<string, string | number> {
    return Object.fromEntries(
        features.columns
            .filter(({ role }) => role === "feature")
            .map(({ name, type }) => [name, type === "number" ? Number(row[name]) : String(row[name])]),
    );
}
