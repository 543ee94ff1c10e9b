import { readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { projectDir } from "../content";

const promotions = z.record(z.string(), z.string().min(1).max(200).nullable());

/** The promotions' file is not what the handlers take. */
export class PromotionsError extends pulumi.RunError {
    override readonly name = "PromotionsError";
}

/**
 * Checks the file that goes into the handlers' package: names of segments, each with a promotion or null.
 *
 * @throws PromotionsError naming the file, the segment and what was expected.
 */
export function checkPromotions(file = path.join(projectDir, "ml", "promotions.json")): void {
    const shown = path.relative(projectDir, file);
    let content: unknown;
    try {
        content = JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
        throw new PromotionsError(`${shown} is no JSON that can be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    const parsed = promotions.safeParse(content);
    if (parsed.success) {
        return;
    }
    const lines = parsed.error.issues.map(({ path: [segment] }) =>
        segment === undefined
            ? `${shown} holds no object, expected {"<name of a segment>": "<promotion>" or null, ..}`
            : `${shown}: the promotion of segment ${JSON.stringify(segment)} is ${JSON.stringify((content as Record<string, unknown>)[String(segment)])}, expected a text of 1 to 200 characters, or null`,
    );
    throw new PromotionsError(lines.join("\n"));
}
