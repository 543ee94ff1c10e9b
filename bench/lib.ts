import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { projectDir } from "../local/parts/paths";

/** What repeated measurements of one thing gave. */
export interface Spread {
    readonly min: number;
    readonly median: number;
    readonly max: number;
}

/** What a median must reach. */
export interface Goal {
    readonly op: ">=" | "<=" | "=";
    readonly value: number;
}

/** One line of a bench's table. */
export interface Row {
    /** Unique within its bench and the same from run to run. */
    readonly id: string;
    readonly work: string;
    /** What it is compared with; undefined for a figure that stands by itself. */
    readonly against?: string;
    /** Of the figure: `x` for a ratio. */
    readonly unit: string;
    readonly figure: Spread;
    /** Undefined for a figure that is only told. */
    readonly goal?: Goal;
    /** What else a reader wants to know, such as the absolute numbers behind a ratio. */
    readonly note?: string;
}

/** @throws RangeError when there are no values */
export function spread(values: readonly number[]): Spread {
    if (values.length === 0) {
        throw new RangeError("a spread needs at least one value");
    }
    const sorted = values.toSorted((a, b) => a - b);
    const at = (position: number): number => sorted[position] as number;
    const middle = (sorted.length - 1) / 2;
    return { min: at(0), median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, max: at(sorted.length - 1) };
}

/** `of` over `against`, run by run: runs of one position were measured one after the other, on the same machine in the same state. */
export function ratio(of: readonly number[], against: readonly number[]): Spread {
    return spread(of.map((value, run) => value / (against[run] as number)));
}

/**
 * Measures each contender `runs` times, interleaved, the order turned round from run to run so that none is always the first.
 *
 * @returns what each contender's runs gave
 */
export async function interleave<Name extends string, Result>(
    runs: number,
    contenders: Readonly<Record<Name, () => Promise<Result>>>,
): Promise<Record<Name, Result[]>> {
    const names = Object.keys(contenders) as Name[];
    const results = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<Name, Result[]>;
    for (let run = 0; run < runs; run += 1) {
        for (const name of run % 2 === 0 ? names : names.toReversed()) {
            results[name].push(await contenders[name]());
        }
    }
    return results;
}

/** Whether the row's median reaches its goal; a row without one does. */
export function reaches({ figure: { median }, goal }: Row): boolean {
    switch (goal?.op) {
        case ">=":
            return median >= goal.value;
        case "<=":
            return median <= goal.value;
        case "=":
            return median === goal.value;
        case undefined:
            return true;
    }
}

/** Prints the table and writes it to `bench/results/<bench>.json`. @returns whether every goal is reached */
export function publish(bench: string, rows: readonly Row[]): boolean {
    const file = path.join(projectDir, "bench", "results", `${bench}.json`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(rows, undefined, 4)}\n`);
    console.log(table(rows));
    console.log(`\nwritten to ${path.relative(process.cwd(), file)}`);
    return rows.every(reaches);
}

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
    const header = ["work", "against", "min", "median", "max", "unit", "goal", "reached", "note"];
    const lines = rows.map((row) => [
        row.work,
        row.against ?? "-",
        ...[row.figure.min, row.figure.median, row.figure.max].map(short),
        row.unit,
        row.goal === undefined ? "-" : `${row.goal.op} ${short(row.goal.value)}`,
        row.goal === undefined ? "-" : reaches(row) ? "yes" : "NO",
        row.note ?? "",
    ]);
    const cells = [header, ...lines];
    const widths = header.map((_, column) => Math.max(...cells.map((line) => (line[column] as string).length)));
    const format = (line: readonly string[]): string => `| ${line.map((cell, i) => cell.padEnd(widths[i] as number)).join(" | ")} |`;
    return [format(header), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...lines.map(format)].join("\n");
}

/** Three digits that count: 0.0123, 1.23, 123, 45,678. */
export function short(value: number): string {
    return Math.abs(value) >= 1000
        ? Math.round(value).toLocaleString("en-US")
        : String(Number(value.toPrecision(3)));
}
