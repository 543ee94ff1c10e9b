import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkFeatures, type Features, featureColumns } from "../../../functions/predict/features";
import { fingerprint } from "../../../functions/predict/fingerprint";
import { playerFeatures } from "./predictions";

function features(input: unknown): Features {
    const checked = checkFeatures(input);
    if ("problem" in checked) {
        throw new Error(checked.problem);
    }
    return checked.features;
}

function problem(input: unknown): string {
    const checked = checkFeatures(input);
    return "problem" in checked ? checked.problem : "none";
}

describe("a player's features", () => {
    test("come out normalised, without the columns that no model takes", () => {
        const given = playerFeatures({ age: "39", promotion_num: 20, identity: 77516, register_code: "2.174e3" });
        expect(features(given)).toEqual(playerFeatures());
    });

    test.each([
        ["missing", { age: undefined }, "features.age is missing, expected a finite number"],
        ["null", { age: null }, "features.age is null, expected a finite number"],
        ["not a number", { age: "forty" }, 'features.age is "forty", expected a finite number'],
        ["NaN", { age: Number.NaN }, "features.age is NaN, expected a finite number"],
        ["NaN as text", { age: "NaN" }, 'features.age is "NaN", expected a finite number'],
        ["too great a number", { age: "1e999" }, 'features.age is "1e999", expected a finite number'],
        ["an empty number", { age: "" }, 'features.age is "", expected a finite number'],
        ["an empty category", { race: " " }, 'features.race is " ", expected non-empty text of at most 256 characters'],
        ["a boolean", { race: true }, "features.race is true, expected non-empty text"],
        ["an object", { race: { a: 1 } }, "features.race is an object, expected non-empty text"],
        [
            "too long",
            { country: "x".repeat(257) },
            `features.country is "${"x".repeat(40)}...", expected non-empty text of at most 256 characters`,
        ],
        ["unknown", { agee: 3 }, "features.agee is unknown"],
        ["the label", { churn_YN: "Y" }, "features.churn_YN is what the models predict"],
    ])("a value that is %s is named with what was expected", (_, change, message) => {
        expect(problem(playerFeatures(change))).toContain(message);
    });

    test("all that is wrong with a player is in one message, of bounded length", () => {
        expect(problem(playerFeatures({ age: "x", race: "", more: 1 })).split("; ")).toHaveLength(3);
        const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`${"long ".repeat(50)}${i}`, i]));
        expect(problem(many).length).toBeLessThan(2_000);
        expect(problem(many)).toMatch(/and 5002 more$/);
    });

    test("anything else than an object is a problem, not an error", () => {
        for (const input of [null, undefined, 1, "x", [], [playerFeatures()]]) {
            expect(problem(input)).toContain("expected an object");
        }
        fc.assert(fc.property(fc.anything(), (input) => void checkFeatures(input)));
        fc.assert(fc.property(fc.json(), (json) => void checkFeatures(JSON.parse(json))));
    });

    test("each field alone, whatever it holds, is taken or named", () => {
        const names = featureColumns.map((column) => column.name);
        fc.assert(
            fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
                const checked = checkFeatures(playerFeatures({ [name]: value }));
                if ("problem" in checked) {
                    expect(checked.problem.startsWith(`features.${name} is `)).toBe(true);
                } else {
                    expect(Object.keys(checked.features)).toEqual(names);
                }
            }),
        );
    });
});

describe("the fingerprint of the inputs", () => {
    test("is the one that the models' Python code computes", () => {
        expect(fingerprint(features(playerFeatures()))).toBe("23802805b9fc437c");
    });

    test("does not depend on the form of a value, the order of fields, or unused columns", () => {
        const shuffled = Object.fromEntries(
            Object.entries(playerFeatures({ age: "39.0", crystal: 800, identity: 1, purchase_num: -0 })).reverse(),
        );
        expect(fingerprint(features(shuffled))).toBe("23802805b9fc437c");
    });

    test("changes with every feature", () => {
        const changed = featureColumns.map(({ name, type }) =>
            fingerprint(features(playerFeatures({ [name]: type === "number" ? 123456 : "another" }))),
        );
        expect(new Set([...changed, "23802805b9fc437c"]).size).toBe(featureColumns.length + 1);
    });

    test("tells apart texts that flow over from one column to the next", () => {
        const one = fingerprint(features(playerFeatures({ race: "ab", gender: "c" })));
        expect(one).not.toBe(fingerprint(features(playerFeatures({ race: "a", gender: "bc" }))));
    });
});
