import * as z from "zod";
import playerRecord from "../../ml/features.json";
import { cut, show } from "./show";

const recordSchema = z.object({
    columns: z.array(
        z.object({ name: z.string().min(1), type: z.enum(["number", "category"]), role: z.enum(["feature", "ignored", "label"]) }),
    ),
});

/** One column of the player record (`ml/features.json`). */
export type Column = z.infer<typeof recordSchema>["columns"][number];

const columns: readonly Column[] = recordSchema.parse(playerRecord).columns;

/** The columns that the models take, in their order. */
export const featureColumns: readonly Column[] = columns.filter((column) => column.role === "feature");
/** The columns that a request may carry and that no model takes. */
export const ignoredColumns: readonly Column[] = columns.filter((column) => column.role === "ignored");

const columnByName = new Map(columns.map((column) => [column.name, column]));

/** Longest text of a category, in UTF-16 units. */
export const maxCategoryLength = 256;
/** A number written as text, as CSV has it. No blanks, no hexadecimal, no Infinity. */
export const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const maxProblems = 10;

/** A player's inputs, checked and normalised: each feature column, numbers finite, categories as text. */
export type Features = Readonly<Record<string, number | string>>;

export type CheckedFeatures = { readonly features: Features } | { readonly problem: string };

/**
 * Checks the `features` of one player against the player record and normalises them: a number may be text ("39"), a category may
 * be a number (40 becomes "40"). Never throws.
 *
 * @returns the features, or everything that is wrong with them in one message: field, value and what is expected.
 */
export function checkFeatures(input: unknown): CheckedFeatures {
    if (typeof input !== "object" || input === null || Array.isArray(input)) {
        const names = featureColumns.map((column) => column.name).join(", ");
        return { problem: `features is ${show(input)}, expected an object with the fields ${names}` };
    }
    const given = new Map<string, unknown>(Object.entries(input));
    const problems: string[] = [];
    const features: Record<string, number | string> = {};
    for (const column of featureColumns) {
        const value = given.get(column.name);
        const normal = column.type === "number" ? toNumber(value) : toCategory(value);
        if (normal === undefined) {
            problems.push(
                `features.${column.name} ${value === undefined ? "is missing" : `is ${show(value)}`}, expected ${expectation(column)}`,
            );
        } else {
            features[column.name] = normal;
        }
    }
    for (const name of given.keys()) {
        const role = columnByName.get(name)?.role;
        if (role === undefined) {
            problems.push(`features.${cut(name)} is unknown, expected only fields of the player record`);
        } else if (role === "label") {
            problems.push(`features.${name} is what the models predict, expected no such field`);
        }
    }
    return problems.length === 0 ? { features } : { problem: summary(problems) };
}

function toNumber(value: unknown): number | undefined {
    const number = typeof value === "string" && numberPattern.test(value) ? Number(value) : value;
    return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function toCategory(value: unknown): string | undefined {
    const text = typeof value === "number" && Number.isFinite(value) ? String(value) : value;
    return typeof text === "string" && text.trim() !== "" && text.length <= maxCategoryLength && text.isWellFormed() ? text : undefined;
}

function expectation(column: Column): string {
    return column.type === "number" ? "a finite number" : `non-empty text of at most ${maxCategoryLength} characters`;
}

function summary(problems: readonly string[]): string {
    const more = problems.length - maxProblems;
    return problems.slice(0, maxProblems).join("; ") + (more > 0 ? `; and ${more} more` : "");
}
