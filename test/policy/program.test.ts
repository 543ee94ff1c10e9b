import { describe, expect, it } from "vitest";
import { record, type RecordingOptions } from "../infra/recording";
import { judge } from "./judge";

const now = new Date("2026-06-01T00:00:00Z");
const password = { databaseAuth: "password", databasePassword: "hunter2" };

/** Every environment of the project, and what a setting adds. */
const environments: Readonly<Record<string, RecordingOptions>> = {
    dev: { stack: "dev" },
    "dev with a password": { stack: "dev", config: password },
    local: { stack: "local", config: password },
};

describe.each(Object.entries(environments))("the program in %s", (_name, options) => {
    it("keeps every policy", async () => {
        const { resources } = await record(options);
        expect(await judge(resources.map(({ inputs, ...rest }) => ({ ...rest, props: inputs })), now)).toEqual([]);
    });
});
