import type { FingerprintedPrediction } from "../prediction";
import { type FileColumn, fileColumns as columns } from "./columns";
import { remembering } from "./remembering";

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

/**
 * A row that is a prediction: the texts of its columns in the order of `fileColumns`, each of them as the database takes it, but for the time.
 */
export type PredictionRow = readonly string[];

/** Checks rows of one file. @throws BadRowError */
export type RowReader = (fields: readonly string[]) => PredictionRow;

/** Places in a row. */
const at = Object.fromEntries(columns.map((column, place) => [column, place])) as Record<FileColumn, number>;

/**
 * Takes the header and gives the reader of the rows below it.
 *
 * @throws WrongHeaderError
 */
export function rowReader(header: readonly string[]): RowReader {
    const places = columns.map((column) => header.indexOf(column));
    if (header.length !== columns.length || places.includes(-1)) {
        throw new WrongHeaderError(header);
    }
    const inOrder = places.every((place, index) => place === index);
    const modelVersion = remembering((text) => matching("model_version", text, /^[\x21-\x7e]{1,17}$/u, "1 to 17 ASCII characters"));
    const [segment, name, time] = [remembering(segmentId), remembering(segmentName), remembering(scoredAt)];

    return (fields) => {
        if (fields.length !== columns.length) {
            throw new BadRowError(`has ${fields.length} fields, expected ${columns.length}`);
        }
        const row = inOrder ? fields : places.map((place) => fields[place] as string);
        return [
            playerId(row[at.player_id] as string),
            label("churn_label", row[at.churn_label] as string),
            probability("churn_probability", row[at.churn_probability] as string),
            label("purchase_label", row[at.purchase_label] as string),
            probability("purchase_probability", row[at.purchase_probability] as string),
            segment(row[at.segment_id] as string),
            name(row[at.segment_name] as string),
            modelVersion(row[at.model_version] as string),
            time(row[at.scored_at] as string),
            matching("inputs_fingerprint", row[at.inputs_fingerprint] as string, /^[0-9a-f]{16}$/u, "16 hexadecimal digits"),
        ];
    };
}

/** The prediction of a row. */
export function predictionOf(row: PredictionRow): FingerprintedPrediction {
    return {
        playerId: row[at.player_id] as string,
        churn: { label: row[at.churn_label] === "1", probability: Number(row[at.churn_probability]) },
        purchase: { label: row[at.purchase_label] === "1", probability: Number(row[at.purchase_probability]) },
        segment: { id: Number(row[at.segment_id]), name: row[at.segment_name] as string },
        modelVersion: row[at.model_version] as string,
        scoredAt: row[at.scored_at] as string,
        inputsFingerprint: row[at.inputs_fingerprint] as string,
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

function label(column: FileColumn, text: string): string {
    if (text !== "1" && text !== "0") {
        throw wrong(column, text, "1 or 0");
    }
    return text;
}

/** A probability with at most 6 decimals: more would not be the same number in every store. */
function probability(column: FileColumn, text: string): string {
    // As most are written: nothing about the number has to be worked out.
    if (/^(?:0\.\d{1,6}|[01])$/u.test(text)) {
        return text;
    }
    const value = /^\d(?:\.\d+)?(?:[eE]-?\d{1,2})?$/u.test(text) ? Number(text) : NaN;
    if (!(value >= 0 && value <= 1) || Math.round(value * 1e6) / 1e6 !== value) {
        throw wrong(column, text, "a number from 0 to 1 with at most 6 decimals");
    }
    return String(value);
}

function segmentId(text: string): string {
    const value = /^\d{1,3}$/u.test(text) ? Number(text) : NaN;
    if (!(value <= 255)) {
        throw wrong("segment_id", text, "a whole number from 0 to 255");
    }
    return String(value);
}

function scoredAt(text: string): string {
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

function wrong(column: FileColumn, text: string, expected: string): BadRowError {
    return new BadRowError(`${column} is ${JSON.stringify(text.slice(0, 100))}, expected ${expected}`);
}
