import { expect, test } from "vitest";
import { readScale, withScaleTables } from "../../scripts/scale";

test("the tables of docs/scale.md are those that the rules compute (npm run scale)", () => {
    expect(readScale()).toBe(withScaleTables(readScale()));
});
