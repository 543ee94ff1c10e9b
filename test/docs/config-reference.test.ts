import { expect, test } from "vitest";
import { readReadme, withConfigTable } from "../../scripts/config-reference";

test("the README's table of configuration keys is that of Pulumi.yaml (npm run config-reference)", () => {
    expect(readReadme()).toBe(withConfigTable(readReadme()));
});
