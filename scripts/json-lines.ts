import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { TokenCredential } from "@azure/identity";
import { ContainerClient } from "@azure/storage-blob";
import type * as z from "zod";

/** What was named is not there, or is none of what it should be; the message is one line for the person who named it. */
export class SourceError extends Error {
    override readonly name = "SourceError";
}

export interface JsonLinesSource<T> {
    /** A file, a folder of files `*.jsonl`, or the lake's blob address, of which `container` is read. */
    readonly source: string;
    readonly container: string;
    /** Reads one day alone, such as `2026-01-31`: the name of a folder. */
    readonly day: string | undefined;
    /** Only the lake asks for it. */
    readonly credential: () => TokenCredential;
    readonly schema: z.ZodType<T>;
    /** What a line is, for errors, such as `comparison of models`. */
    readonly what: string;
    /** Most values that are read. @default all */
    readonly most?: number;
}

/** The values of files that the handlers write, the newest day first; no file is read that is not needed. @throws SourceError */
export async function readJsonLines<T>(options: JsonLinesSource<T>): Promise<T[]> {
    const { source, most = Infinity } = options;
    const files = /^https?:\/\//.test(source) ? lakeFiles(options) : localFiles(options);
    const values: T[] = [];
    for await (const { place, text } of files) {
        for (const [i, line] of text.split("\n").entries()) {
            if (values.length >= most) {
                return values;
            }
            if (line !== "") {
                values.push(parseLine(line, `${place}:${i + 1}`, options));
            }
        }
    }
    return values;
}

interface TextFile {
    readonly place: string;
    readonly text: string;
}

function* localFiles({ source, day }: Pick<JsonLinesSource<unknown>, "source" | "day">): Generator<TextFile> {
    if (!existsSync(source)) {
        throw new SourceError(`${source}: there is no such file or folder`);
    }
    const names = statSync(source).isDirectory()
        ? readdirSync(source, { recursive: true, encoding: "utf8" })
              .filter((name) => name.endsWith(".jsonl") && (day === undefined || name.split(path.sep).includes(day)))
              .map((name) => path.join(source, name))
        : [source];
    for (const place of names.sort().reverse()) {
        yield { place, text: readFileSync(place, "utf8") };
    }
}

async function* lakeFiles({ source, container, day, credential }: Omit<JsonLinesSource<unknown>, "schema">): AsyncGenerator<TextFile> {
    const client = new ContainerClient(`${source.replace(/\/$/, "")}/${container}`, credential());
    const names: string[] = [];
    for await (const { name } of client.listBlobsFlat({ prefix: day === undefined ? "" : `${day}/` })) {
        names.push(name);
    }
    for (const place of names.sort().reverse()) {
        yield { place, text: (await client.getBlobClient(place).downloadToBuffer()).toString("utf8") };
    }
}

function parseLine<T>(line: string, place: string, { schema, what }: Pick<JsonLinesSource<T>, "schema" | "what">): T {
    try {
        return schema.parse(JSON.parse(line));
    } catch {
        throw new SourceError(`${place}: no ${what}: ${line.slice(0, 80)}`);
    }
}

/** The first line of an error's message: those of Azure's clients go on with what only their support reads. */
export function firstLine(error: unknown): string {
    return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
