import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { projectDir, sharedDir } from "../../local/parts/paths";
import { makePython } from "../../local/parts/python";
import { run, tail } from "../../local/parts/run";

const reportSchema = z.object({
    results: z.object({ failed_checks: z.array(z.object({ check_id: z.string(), resource: z.string(), file_path: z.string() })) }),
    summary: z.object({ parsing_errors: z.number(), resource_count: z.number() }),
});

const exceptionsSchema = z.array(
    z.strictObject({
        resource: z.string(),
        checks: z.array(
            z.strictObject({
                id: z.string(),
                stacks: z.array(z.string()).optional(),
                reason: z
                    .string()
                    .min(20)
                    .or(z.templateLiteral(["As ", z.string(), "."])),
            }),
        ),
    }),
);

/** Makes checkov's Python environment where it is missing. @returns path of its `checkov` */
export async function ensureCheckov(): Promise<string> {
    const python = await makePython({
        environmentFiles: [path.join(__dirname, "checkov", "environment.yaml")],
        requirementsFile: path.join(__dirname, "checkov", "requirements.txt"),
        dir: path.join(sharedDir, "python"),
    });
    return path.join(path.dirname(python), "checkov");
}

/** Runs checkov over ARM templates by their names. @returns `<template>: <check> <resource>` for each check that fails, in order */
export async function failingChecks(
    checkov: string,
    templates: Readonly<Record<string, { readonly resources: readonly unknown[] }>>,
): Promise<string[]> {
    const dir = mkdtempSync(path.join(tmpdir(), "checkov-"));
    try {
        for (const [name, template] of Object.entries(templates)) {
            writeFileSync(path.join(dir, `${name}.json`), JSON.stringify(template));
        }
        const { exitCode, output } = await run(checkov, [
            "--skip-download",
            "--framework",
            "arm",
            "--compact",
            "--quiet",
            "--output",
            "json",
            "--directory",
            dir,
        ]);
        // 1 is that some checks fail.
        if (exitCode === undefined || exitCode > 1) {
            throw new Error(`checkov ended with ${exitCode ?? "a signal"}:\n${tail(output)}`);
        }
        const { results, summary } = reportSchema.parse(JSON.parse(output));
        const given = Object.values(templates).reduce((sum, { resources }) => sum + resources.length, 0);
        // It counts the resources of nested templates too.
        if (summary.parsing_errors > 0 || summary.resource_count < given) {
            throw new Error(`checkov read ${summary.resource_count} of ${given} resources, with ${summary.parsing_errors} errors`);
        }
        return results.failed_checks
            .map(({ check_id, resource, file_path }) => `${path.basename(file_path, ".json")}: ${check_id} ${resource}`)
            .sort();
    } finally {
        rmSync(dir, { recursive: true, force: true });
    }
}

/** The exceptions of `infra/policy/checkov.yaml`, as {@link failingChecks} tells of them. */
export function exceptions(stacks: readonly string[]): string[] {
    const listed = exceptionsSchema.parse(parse(readFileSync(path.join(projectDir, "infra", "policy", "checkov.yaml"), "utf8")));
    return listed
        .flatMap(({ resource, checks }) =>
            checks.flatMap((check) => (check.stacks ?? stacks).map((stack) => `${stack}: ${check.id} ${resource}`)),
        )
        .sort();
}
