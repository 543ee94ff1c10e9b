import type { Readable } from "node:stream";
import type { FingerprintedPrediction } from "../prediction";
import { readCsv } from "./csv-rows";
import { BadRowError, predictionOf, type PredictionRow, rowReader, type RowReader, WrongHeaderError } from "./row";

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
    readonly good: readonly PredictionRow[];
    readonly rejected: readonly RejectedRow[];
}

/** Reads a batch output file's predictions, as `readRows` does its rows. */
export async function* readPredictions(
    body: Readable,
): AsyncGenerator<{ readonly predictions: readonly FingerprintedPrediction[]; readonly rejected: readonly RejectedRow[] }> {
    for await (const { good, rejected } of readRows(body)) {
        yield { predictions: good.map(predictionOf), rejected };
    }
}

/**
 * Reads a batch output file in constant memory. A row that is not a prediction is set aside; the others are not touched by it.
 *
 * @throws WrongHeaderError
 * @throws MalformedFileError
 */
export async function* readRows(body: Readable): AsyncGenerator<Rows> {
    let read: RowReader | undefined;
    for await (const rows of readCsv(body)) {
        const good: PredictionRow[] = [];
        const rejected: RejectedRow[] = [];
        for (const { fields, raw, line } of rows) {
            if (read === undefined) {
                read = rowReader(fields);
                continue;
            }
            try {
                checkQuotes(fields, raw);
                good.push(read(fields));
            } catch (error) {
                if (!(error instanceof BadRowError)) {
                    throw error;
                }
                rejected.push({ line, reason: error.message, row: raw.trim().slice(0, 1_000) });
            }
        }
        yield { good, rejected };
    }
    if (read === undefined) {
        throw new WrongHeaderError([]);
    }
}

/** A field with a quote in it must be written quoted and with the quote doubled; else nobody knows where the writer meant it to end. */
function checkQuotes(fields: readonly string[], raw: string): void {
    if (!raw.includes('"')) {
        return;
    }
    for (const field of fields) {
        if (field.includes('"') && !raw.includes(`"${field.replaceAll('"', '""')}"`)) {
            throw new BadRowError(`field ${JSON.stringify(field.slice(0, 100))} has a stray quote`);
        }
    }
}
