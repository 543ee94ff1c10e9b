import { describe, expect, it } from "vitest";
import { record } from "../infra/recording";
import { environments, variants } from "./environments";
import { judge } from "./judge";

const now = new Date("2026-06-01T00:00:00Z");

describe.each(Object.entries({ ...environments, ...variants }))("the program in %s", (_name, options) => {
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
