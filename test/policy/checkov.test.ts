import { beforeAll, describe, expect, it } from "vitest";
import { record } from "../infra/recording";
import { armTemplate } from "./arm";
import { ensureCheckov, exceptions, failingChecks } from "./checkov";
import { environments, type Environment } from "./environments";

const stacks = Object.keys(environments) as Environment[];

describe("checkov over what the program registers in every environment", () => {
    let checkov = "";
    beforeAll(async () => {
        checkov = await ensureCheckov();
    }, 900_000);

    it("fails exactly the checks that infra/policy/checkov.yaml gives reasons for", async () => {
        const templates: Record<string, ReturnType<typeof armTemplate>> = {};
        for (const stack of stacks) {
            templates[stack] = armTemplate((await record(environments[stack])).resources);
        }
        expect(await failingChecks(checkov, templates)).toEqual(exceptions(stacks));
    }, 300_000);
});
