import { describe, expect, it } from "vitest";
import { record, type RecordingOptions } from "../infra/recording";
import { environments } from "./environments";
import { judge } from "./judge";

const now = new Date("2026-06-01T00:00:00Z");

/** Every environment of the project, and what a setting adds. */
const programs: Readonly<Record<string, RecordingOptions>> = {
    ...environments,
    "dev with a password": { stack: "dev", config: { databaseAuth: "password", databasePassword: "hunter2" } },
};

describe.each(Object.entries(programs))("the program in %s", (_name, options) => {
    it("keeps every policy", async () => {
        const { resources } = await record(options);
        expect(
            await judge(
                resources.map(({ inputs, ...rest }) => ({ ...rest, props: inputs })),
                now,
            ),
        ).toEqual([]);
    });
});
