import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareStatistics, defaultLimits as limits, stabilityIndex } from "../../../functions/drift/compare";
import { readStatistics, type Statistics, StatisticsError, sumStatistics } from "../../../functions/drift/statistics";
import { counted } from "./counts";

describe("the population stability index", () => {
    it("is 0 for equal distributions, whatever the number of players", () => {
        expect(stabilityIndex([100, 300, 600], [100, 300, 600])).toBe(0);
        expect(stabilityIndex([100_000, 300_000, 600_000], [1_000, 3_000, 6_000])).toBeCloseTo(0, 6);
    });

    it("is the sum of (q - p) ln(q / p)", () => {
        const index = (0.2 - 0.5) * Math.log(0.2 / 0.5) + (0.8 - 0.5) * Math.log(0.8 / 0.5);
        expect(stabilityIndex([500_000, 500_000], [200_000, 800_000])).toBeCloseTo(index, 4);
    });

    it("is finite and not negative for any counts, the same both ways", () => {
        const bins = fc.integer({ min: 1, max: 30 }).chain((length) => {
            const counts = fc.array(fc.nat(1_000_000), { minLength: length, maxLength: length });
            return fc.tuple(counts, counts);
        });
        fc.assert(
            fc.property(bins, ([before, now]) => {
                const index = stabilityIndex(before, now);
                expect(Number.isFinite(index)).toBe(true);
                expect(index).toBeGreaterThanOrEqual(-1e-12);
                expect(stabilityIndex(now, before)).toBeCloseTo(index, 9);
            }),
        );
    });
});

describe("a comparison with the training data", () => {
    it("names what has drifted, the most changed first", () => {
        const { columns, drifted, tooFew } = compareStatistics(counted(), counted({ country: { KR: 200, FR: 800 } }), limits);
        expect(drifted).toEqual(["country"]);
        expect(columns[0]).toMatchObject({ name: "country", kind: "feature" });
        expect(tooFew).toBe(false);
    });

    it("finds nothing between equal players", () => {
        const { columns, drifted } = compareStatistics(counted(), counted(), limits);
        expect(drifted).toEqual([]);
        expect(columns.map(({ psi }) => psi)).toEqual([0, 0, 0, 0]);
    });

    it("counts categories that training has not seen as a bin, and names them by their players", () => {
        const now = counted({ country: { KR: 600, FR: 200 }, unseen: { JP: 150, US: 50 } });
        const country = compareStatistics(counted(), now, limits).columns.find(({ name }) => name === "country");
        expect(country).toMatchObject({ unseen: { share: 0.2, texts: ["JP", "US"] } });
        expect(country?.psi).toBeGreaterThan(0.2);
    });

    it("names a column of few categories that training has not seen, whatever its index", () => {
        const now = counted({ country: { KR: 588, FR: 392 }, unseen: { JP: 20 } });
        const { columns, drifted } = compareStatistics(counted(), now, limits);
        expect(columns.find(({ name }) => name === "country")?.psi).toBeLessThan(limits.psi);
        expect(drifted).toEqual(["country"]);
        expect(compareStatistics(counted(), now, { ...limits, unseen: 0.02 }).drifted).toEqual([]);
    });

    it("tells the shift of the scores", () => {
        const score = compareStatistics(counted(), counted({ churn: [900, 100], churnSum: 250 }), limits).columns.find(({ name }) => name === "churn");
        expect(score).toMatchObject({ kind: "score", mean: { before: 0.5, now: 0.25 } });
    });

    it("says nothing of few players", () => {
        const now = counted({ country: { FR: 20 }, players: 20 });
        expect(compareStatistics(counted(), now, limits)).toMatchObject({ tooFew: true, drifted: [] });
    });

    it("refuses what was counted otherwise", () => {
        expect(() => compareStatistics(counted(), counted({ edges: [3] }), limits)).toThrow(/age was not counted in the same bins/);
        const withoutCountry = Object.fromEntries(Object.entries(counted().features).filter(([name]) => name !== "country"));
        expect(() => compareStatistics(counted(), { ...counted(), features: withoutCountry }, limits)).toThrow(/country was counted as a category before and not at all now/);
        expect(() => compareStatistics(counted(), { ...counted(), segments: [1, 2, 3] }, limits)).toThrow(StatisticsError);
    });
});

describe("counts", () => {
    const text = (change: object) => JSON.stringify({ ...counted(), ...change });

    it("add up, those of new categories too", () => {
        const a = counted({ country: { KR: 600, FR: 400 }, unseen: { JP: 1 } });
        const b = counted({ country: { KR: 100 }, unseen: { JP: 2, US: 3 } });
        expect(sumStatistics([a, b], ["a", "b"])).toMatchObject({
            players: 2_000,
            features: { country: { counts: { KR: 700, FR: 400 }, unseen: { JP: 3, US: 3 } }, age: { counts: [1_000, 1_000], sum: 40_000 } },
            segments: [1_400, 600],
        });
    });

    it("of different models do not", () => {
        const other: Statistics = { ...counted(), modelVersion: "another" };
        expect(() => sumStatistics([counted(), other], ["a.json", "b.json"])).toThrow(/b\.json and a\.json are of different models \(another, model-1\)/);
        expect(() => sumStatistics([], [])).toThrow(/there are no counts/);
    });

    it("are read back as they were written, and refused with the place where they are wrong", () => {
        expect(readStatistics(text({}), "here")).toEqual(counted());
        expect(() => readStatistics("{", "a.json")).toThrow(/a\.json: no JSON/);
        expect(() => readStatistics(text({ shape: 2 }), "a.json")).toThrow(/a\.json: no counts of players: shape:/);
        expect(() => readStatistics(text({ scores: { churn: { edges: [0.5], counts: [1], sum: 1 } } }), "a.json")).toThrow(/scores\.churn: counts must be one more/);
    });
});
