import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { buildPackage } from "../../infra/handlers/package";
import { record } from "./recording";

/** Prints what the program registers with the handlers as they are, as of a time: `tsx print-inputs.ts <time>`. Files stand for their content. */
async function main([now = ""]: readonly string[]): Promise<void> {
    const handlers = await buildPackage();
    for (const stack of ["dev", "prod"]) {
        const { resources, calls } = await record({ stack, now: new Date(now), package: handlers });
        const lines = await Promise.all([
            ...resources.map(async ({ type, name, inputs }) => `${stack} ${type} ${name} ${await shown(inputs)}`),
            ...calls.map(async ({ token, inputs }) => `${stack} ${token} ${await shown(inputs)}`),
        ]);
        console.log(lines.sort().join("\n"));
    }
}

/** As JSON in the order of the keys, as the engine gets them. */
async function shown(inputs: unknown): Promise<string> {
    return JSON.stringify(await withContents(inputs));
}

async function withContents(value: unknown): Promise<unknown> {
    if (value instanceof pulumi.asset.FileAsset) {
        return createHash("sha256").update(readFileSync(await value.path)).digest("hex");
    }
    if (Array.isArray(value)) {
        return await Promise.all(value.map(withContents));
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, each]) => [key, await withContents(each)] as const)));
    }
    return value;
}

main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
});
