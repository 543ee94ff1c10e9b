import type { FingerprintedPrediction } from "../prediction";
import { type FileColumn, fileColumns as columns } from "./columns";

/** The file's first row is not the header of a batch output: none of its rows can be trusted. */
export class WrongHeaderError extends Error {
    override readonly name = "WrongHeaderError";
    readonly retryable = false;

    constructor(readonly header: readonly string[]) {
        super(`expected the columns ${columns.join(",")} in any order, found ${JSON.stringify(header.join(",").slice(0, 500))}`);
    }
}

/** A row is not a prediction; the message says which column and why. */
export class BadRowError extends Error {
    override readonly name = "BadRowError";
    readonly retryable = false;
}

/** Reads rows of one file. */
export type RowReader = (fields: readonly string[]) => FingerprintedPrediction;

/**
 * Takes the header and gives the reader of the rows below it.
 *
 * @throws WrongHeaderError
 */
export function rowReader(header: readonly string[]): RowReader {
    const place = Object.fromEntries(columns.map((column) => [column, header.indexOf(column)])) as Record<FileColumn, number>;
    if (header.length !== columns.length || columns.some((column) => place[column] === -1)) {
        throw new WrongHeaderError(header);
    }

    // Both are the same in most rows of a file.
    const modelVersion = rememberLast((text) => matching("model_version", text, /^[\x21-\x7e]{1,17}$/u, "1 to 17 ASCII characters"));
    const scoredAt = rememberLast(scoredAtOf);

    return (fields) => {
        if (fields.length !== columns.length) {
            throw new BadRowError(`has ${fields.length} fields, expected ${columns.length}`);
        }
        const at = (column: FileColumn) => fields[place[column]] as string;
        return {
            playerId: playerId(at("player_id")),
            churn: {
                label: label("churn_label", at("churn_label")),
                probability: probability("churn_probability", at("churn_probability")),
            },
            purchase: {
                label: label("purchase_label", at("purchase_label")),
                probability: probability("purchase_probability", at("purchase_probability")),
            },
            segment: { id: segmentId(at("segment_id")), name: segmentName(at("segment_name")) },
            modelVersion: modelVersion(at("model_version")),
            scoredAt: scoredAt(at("scored_at")),
            inputsFingerprint: matching("inputs_fingerprint", at("inputs_fingerprint"), /^[0-9a-f]{16}$/u, "16 hexadecimal digits"),
        };
    };
}

function playerId(text: string): string {
    // MySQL's collations pad with spaces when they compare, so `a` and `a ` would be one player.
    if (text === "" || text.endsWith(" ") || isLonger(text, 64) || isDamaged(text)) {
        throw wrong("player_id", text, "1 to 64 characters of UTF-8, the last no space");
    }
    return text;
}

function segmentName(text: string): string {
    if (text === "" || isLonger(text, 80) || isDamaged(text)) {
        throw wrong("segment_name", text, "1 to 80 characters of UTF-8");
    }
    return text;
}

function label(column: FileColumn, text: string): boolean {
    if (text !== "1" && text !== "0") {
        throw wrong(column, text, "1 or 0");
    }
    return text === "1";
}

/** A probability with at most 6 decimals: more would not be the same number in every store. */
function probability(column: FileColumn, text: string): number {
    const value = /^\d(?:\.\d+)?(?:[eE]-?\d{1,2})?$/u.test(text) ? Number(text) : NaN;
    if (!(value >= 0 && value <= 1) || Math.round(value * 1e6) / 1e6 !== value) {
        throw wrong(column, text, "a number from 0 to 1 with at most 6 decimals");
    }
    return value;
}

function segmentId(text: string): number {
    const value = /^\d{1,3}$/u.test(text) ? Number(text) : NaN;
    if (!(value <= 255)) {
        throw wrong("segment_id", text, "a whole number from 0 to 255");
    }
    return value;
}

function scoredAtOf(text: string): string {
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u.test(text) ? Date.parse(text) : NaN;
    // Date takes days such as 02-31 for later ones. Before 1970 is before any model.
    if (!(time >= 0) || new Date(time).toISOString() !== text) {
        throw wrong("scored_at", text, "a time such as 2026-01-31T12:00:00.000Z");
    }
    return text;
}

function matching(column: FileColumn, text: string, pattern: RegExp, expected: string): string {
    if (!pattern.test(text)) {
        throw wrong(column, text, expected);
    }
    return text;
}

/** Whether it has more characters than that, as MySQL counts them: code points. */
function isLonger(text: string, most: number): boolean {
    return text.length > most && [...text].length > most;
}

/** Whether it has the character that stands for bytes that are no UTF-8: nobody knows whose row it is. */
function isDamaged(text: string): boolean {
    return text.includes("\uFFFD");
}

/** The same function; asked the same again as the time before, it gives the same answer without looking. */
function rememberLast(check: (text: string) => string): (text: string) => string {
    let lastText: string | undefined;
    let last = "";
    return (text) => {
        if (text !== lastText) {
            last = check(text);
            lastText = text;
        }
        return last;
    };
}

function wrong(column: FileColumn, text: string, expected: string): BadRowError {
    return new BadRowError(`${column} is ${JSON.stringify(text.slice(0, 100))}, expected ${expected}`);
}
