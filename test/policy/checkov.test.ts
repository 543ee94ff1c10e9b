import { beforeAll, describe, expect, it } from "vitest";
import { record, type RecordingOptions } from "../infra/recording";
import { armTemplate } from "./arm";
import { ensureCheckov, exceptions, failingChecks } from "./checkov";
import { environments, variants, type Environment } from "./environments";

const stacks = Object.keys(environments) as Environment[];

async function templatesOf(programs: Readonly<Record<string, RecordingOptions>>): Promise<Record<string, ReturnType<typeof armTemplate>>> {
    const templates: Record<string, ReturnType<typeof armTemplate>> = {};
    for (const [name, options] of Object.entries(programs)) {
        templates[name] = armTemplate((await record(options)).resources);
    }
    return templates;
}

describe("checkov over what the program registers", { timeout: 300_000 }, () => {
    let checkov = "";
    beforeAll(async () => {
        checkov = await ensureCheckov();
    }, 900_000);

    it("fails exactly the checks that infra/policy/checkov.yaml gives reasons for, in every environment", async () => {
        expect(await failingChecks(checkov, await templatesOf(environments))).toEqual(exceptions(stacks));
    });

    it("fails no other check with other settings", async () => {
        const failing = await failingChecks(checkov, await templatesOf(variants));
        const listed = exceptions(stacks);
        const reasoned = Object.entries(variants).flatMap(([name, { like, fails = [] }]) => [
            ...listed.filter((each) => each.startsWith(`${like}: `)).map((each) => each.replace(like, name)),
            ...fails.map((each) => `${name}: ${each}`),
        ]);
        expect(failing).not.toEqual([]);
        expect(failing.filter((each) => !reasoned.includes(each))).toEqual([]);
    });
});
