import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { projectDir } from "../local/parts/paths";
import { withMarked } from "./marked-text";

/** The README's table of configuration keys, made from their declarations in Pulumi.yaml: `npm run config-reference` brings it up to date. */

const declarations = z.object({
    config: z.record(z.string(), z.object({ type: z.string(), default: z.unknown().optional(), description: z.string() })),
});

const readme = path.join(projectDir, "README.md");

/** The README's text with the table as Pulumi.yaml has it now. @throws Error where the marks of the table are missing */
export function withConfigTable(text: string): string {
    const { config } = declarations.parse(parse(readFileSync(path.join(projectDir, "Pulumi.yaml"), "utf8")));
    const rows = Object.entries(config).map(
        ([key, { type, default: value, description }]) => `| \`${key}\` | ${type} | ${shown(value)} | ${description.replaceAll("|", "\\|").replaceAll("<", "&lt;")} |`,
    );
    const table = ["| key | type | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
    return withMarked("README.md", text, "config", table);
}

function shown(value: unknown): string {
    if (value === undefined) {
        return "(required)";
    }
    return value === "" ? "" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

export function readReadme(): string {
    return readFileSync(readme, "utf8");
}

if (require.main === module) {
    writeFileSync(readme, withConfigTable(readReadme()));
}
