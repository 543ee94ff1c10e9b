import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { rules } from "../../infra/policy/rules";
import { accessCases } from "./cases/access";
import type { Cases } from "./cases/case";
import { everywhereCases } from "./cases/everywhere";
import { serviceCases } from "./cases/services";
import { storageCases } from "./cases/storage";
import { webCases } from "./cases/web";
import { judge } from "./judge";

const cases: Cases = { ...storageCases, ...serviceCases, ...webCases, ...accessCases, ...everywhereCases };
const june = "2026-06-01T00:00:00Z";

describe("every rule", () => {
    const all = rules(new Date(june));

    it("has a case that keeps it and one that breaks it", () => {
        expect(Object.keys(cases).sort()).toEqual(all.map(({ name }) => name).sort());
        for (const { good, bad } of Object.values(cases)) {
            expect(good.length).toBeGreaterThan(0);
            expect(bad.length).toBeGreaterThan(0);
        }
    });

    it("is in docs/policies.md, and no other is", () => {
        const rows = readFileSync(path.resolve(__dirname, "..", "..", "docs", "policies.md"), "utf8").matchAll(/^\| (`[^|]+`) \|/gm);
        const documented = [...rows].flatMap(([, names = ""]) => names.split(", ").map((name) => name.replaceAll("`", "")));
        expect(documented.sort()).toEqual(all.map(({ name }) => name).sort());
    });

    it("is named as the engine allows, once, and described in a sentence", () => {
        expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
        for (const { name, description } of all) {
            expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
            expect(description).toMatch(/^[A-Z].*\.$/);
        }
    });
});

describe.each(Object.entries(cases))("%s", (rule, { good, bad, now = june }) => {
    const faultsOf = async (what: Cases[string]["good"][number]) => {
        const violations = await judge([what].flat(), new Date(now));
        return violations.filter(({ policy }) => policy === rule).map(({ fault }) => fault);
    };

    it("is kept", async () => {
        for (const what of good) {
            expect(await faultsOf(what), JSON.stringify(what)).toEqual([]);
        }
    });

    it("says what to change where it is broken", async () => {
        for (const { what, faults } of bad) {
            expect(await faultsOf(what), JSON.stringify(what)).toEqual(faults);
        }
    });
});
