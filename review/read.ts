import { readFileSync } from "node:fs";
import path from "node:path";
import type { z } from "zod";
import { NotAPreviewError, type Change, type Preview } from "./change";
import { digestSchema, readDigest } from "./digest";
import { planSchema, readPlan } from "./plan";
import { isRecord } from "./special";

const expected = "the output of `pulumi preview --json`, or a plan of `pulumi preview --save-plan`";

/**
 * Reads a preview or a plan from a file.
 *
 * @throws NotAPreviewError with one line that names the file, the place in it and what was expected
 */
export function readPreviewFile(file: string): Preview {
    const name = JSON.stringify(file);
    let text: string;
    try {
        text = readFileSync(path.resolve(file), "utf8");
    } catch (error) {
        throw new NotAPreviewError(`${name} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}); expected ${expected}`);
    }
    try {
        return readPreview(text);
    } catch (error) {
        if (error instanceof NotAPreviewError) {
            throw new NotAPreviewError(`${name} is not a preview: ${error.message}`);
        }
        throw error;
    }
}

/** @throws NotAPreviewError with one line that names the place and what was expected */
export function readPreview(text: string): Preview {
    const value = parse(text);
    if (!isRecord(value)) {
        throw new NotAPreviewError(`it holds ${Array.isArray(value) ? "a list" : JSON.stringify(value).slice(0, 40)}; expected ${expected}`);
    }
    if ("resourcePlans" in value) {
        return sorted(readPlan(checked(planSchema, value)));
    }
    if (["steps", "changeSummary", "diagnostics"].some((key) => key in value)) {
        return sorted(readDigest(checked(digestSchema, value)));
    }
    const keys = Object.keys(value).slice(0, 5).map((key) => JSON.stringify(key.slice(0, 40)));
    throw new NotAPreviewError(`it holds ${keys.length === 0 ? "an empty object" : `an object of ${keys.join(", ")}`}; expected ${expected}`);
}

function parse(text: string): unknown {
    try {
        return JSON.parse(text.replace(/^\uFEFF/, "")) as unknown;
    } catch {
        throw new NotAPreviewError(`it is not JSON; expected ${expected}`);
    }
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
    const result = schema.safeParse(value);
    if (result.success) {
        return result.data;
    }
    const [issue] = result.error.issues;
    // The path holds names from the file.
    throw new NotAPreviewError(`${JSON.stringify(issue?.path.map(String).join(".").slice(0, 300))} is wrong: ${issue?.message ?? ""}; expected ${expected}`);
}

/** In an order that does not follow from the engine's, which works on many resources at a time. */
function sorted(preview: Preview): Preview {
    const key = ({ part, type, name, urn, remark }: Change): string => [part ?? "", type, name, urn, remark ?? ""].join("\n");
    return { ...preview, changes: preview.changes.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)) };
}
