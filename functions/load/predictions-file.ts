import { type Readable, pipeline } from "node:stream";
import { CsvError, parse } from "csv-parse";
import type { FingerprintedPrediction } from "../prediction";
import { BadRowError, rowReader, type RowReader, WrongHeaderError } from "./row";

/** A row that was set aside. */
export interface RejectedRow {
    /** Line of the file on which the row begins, from 1. */
    readonly line: number;
    readonly reason: string;
    /** The row as it stands in the file, cut after 1,000 characters. */
    readonly row: string;
}

/** Some rows of a file, in its order. */
export interface Rows {
    readonly predictions: readonly FingerprintedPrediction[];
    readonly rejected: readonly RejectedRow[];
}

/** The file cannot be split into rows, so nobody knows which of them are missing. */
export class MalformedFileError extends Error {
    override readonly name = "MalformedFileError";
    readonly retryable = false;
}

/** Rows that are handed on at a time. */
const chunkRows = 1_000;
/** A row that is longer is the sign of a quote that never closes. Bytes. */
const maxRowBytes = 64 * 1024;

interface CsvRow {
    readonly record: readonly string[];
    readonly raw: string;
}

/**
 * Reads a batch output file in constant memory. A row that is not a prediction is set aside; the others are not touched by it.
 *
 * @throws WrongHeaderError
 * @throws MalformedFileError
 */
export async function* readPredictions(body: Readable): AsyncGenerator<Rows> {
    const parser = parse({
        bom: true,
        raw: true,
        record_delimiter: ["\r\n", "\n"],
        // Both are one row's trouble, and found there.
        relax_column_count: true,
        relax_quotes: true,
        max_record_size: maxRowBytes,
    });
    // Either side's failure ends both; the reader of the parser gets the error.
    pipeline(body, parser, () => undefined);

    let read: RowReader | undefined;
    let line = 1;
    let predictions: FingerprintedPrediction[] = [];
    let rejected: RejectedRow[] = [];
    try {
        for await (const { record, raw } of parser as AsyncIterable<CsvRow>) {
            const start = line;
            line += 1 + innerLines(record, raw);
            if (record.length === 1 && record[0] === "") {
                continue;
            }
            if (read === undefined) {
                read = rowReader(record);
                continue;
            }
            try {
                checkQuotes(record, raw);
                predictions.push(read(record));
            } catch (error) {
                if (!(error instanceof BadRowError)) {
                    throw error;
                }
                rejected.push({ line: start, reason: error.message, row: raw.trim().slice(0, 1_000) });
            }
            if (predictions.length + rejected.length === chunkRows) {
                yield { predictions, rejected };
                predictions = [];
                rejected = [];
            }
        }
    } catch (error) {
        if (error instanceof CsvError) {
            throw new MalformedFileError(`cannot be split into rows from line ${line} on: ${error.message}`, { cause: error });
        }
        throw error;
    }
    if (read === undefined) {
        throw new WrongHeaderError([]);
    }
    yield { predictions, rejected };
}

/** Line breaks inside a row's fields. */
function innerLines(record: readonly string[], raw: string): number {
    return raw.includes('"') ? record.reduce((count, field) => count + (field.split("\n").length - 1), 0) : 0;
}

/** A field with a quote in it must be written quoted and with the quote doubled; else nobody knows where the writer meant it to end. */
function checkQuotes(record: readonly string[], raw: string): void {
    for (const field of record) {
        if (field.includes('"') && !raw.includes(`"${field.replaceAll('"', '""')}"`)) {
            throw new BadRowError(`field ${JSON.stringify(field.slice(0, 100))} has a stray quote`);
        }
    }
}
