import { describe, expect, test } from "vitest";
import { profiles, settingKeys } from "../../infra/settings";
import { withMarked } from "../../scripts/marked-text";
import { limits, measured } from "../../scripts/scale/figures";
import { boundsOf, demandOf, firstToBreak, reachedAt, usableBytes, use } from "../../scripts/scale/rules";

const { dev, prod } = profiles;

describe("what players take", () => {
    test("objects, bytes and rows are in proportion to the players", () => {
        const [one, ten] = [demandOf(1e6, prod), demandOf(1e7, prod)];
        expect(one.objects).toBe(10);
        for (const key of ["objects", "logBytes", "predictionBytes", "redisBytes", "databaseBytes", "loadSeconds", "requests", "misses"] as const) {
            expect(ten[key], key).toBeCloseTo(10 * one[key], 6);
        }
        expect(one.logBytes).toBe(1e6 * measured.logBytes.value);
    });

    test("a part of an object is an object, and takes a node", () => {
        expect(demandOf(1, prod)).toMatchObject({ objects: 1, batchNodes: 1, loadInstances: 1, connections: 1, httpInstances: 1 });
    });

    test("Redis has a file while the next is merged, and the last one after it", () => {
        expect(measured.cachedPlayers.value).toBeGreaterThanOrEqual(measured.loadedPlayers.value);
        expect(demandOf(1e8, prod).cacheSeconds).toBe(demandOf(1e6, prod).cacheSeconds);
        expect(demandOf(50_000, prod).cacheSeconds).toBeCloseTo(50_000 / measured.cachedPlayers.value, 9);
    });

    test("no more nodes and instances than the profile allows", () => {
        const many = demandOf(1e9, prod);
        expect(many.batchNodes).toBe(Number(prod.batchMaxNodes));
        expect(many.loadInstances).toBe(Number(prod.functionMaxInstances));
        expect(demandOf(1e9, dev).batchSeconds).toBeGreaterThan(many.batchSeconds);
    });

    test("the smallest size of Redis that holds the players, and none past the last", () => {
        expect(demandOf(1e6, prod).redisSku).toBe("Balanced_B0");
        expect(demandOf(1e8, prod).redisSku).toBe("Balanced_B20");
        expect(demandOf(2e8, prod).redisSku).toBeUndefined();
        const holds = Math.floor(usableBytes("Balanced_B5") / measured.redisBytes.value);
        expect([holds, holds + 1].map((players) => demandOf(players, prod).redisSku)).toEqual(["Balanced_B5", "Balanced_B10"]);
    });
});

describe("what breaks first", () => {
    test("a limit is reached where exactly all of it is used", () => {
        for (const profile of [dev, prod]) {
            for (const bound of boundsOf(profile)) {
                const players = reachedAt(bound, profile);
                if (players !== undefined) {
                    expect(use(bound, demandOf(players, profile)), bound.what).toBeLessThanOrEqual(1);
                    expect(use(bound, demandOf(players * 1.002, profile)), bound.what).toBeGreaterThan(1);
                }
            }
        }
        const [redis] = boundsOf(prod);
        expect(reachedAt(redis as NonNullable<typeof redis>, prod)).toBeCloseTo((6e9 * limits.redisUsable.value) / measured.redisBytes.value, -5);
    });

    test("the limit of which most is used", () => {
        const { bound, use: most } = firstToBreak(1e8, prod);
        expect(bound.moves).toBe("`redisSku`");
        expect(most).toBeGreaterThan(1);
        for (const each of boundsOf(prod)) {
            expect(use(each, demandOf(1e8, prod))).toBeLessThanOrEqual(most);
        }
    });

    test("what moves a limit are settings that the stack has", () => {
        const named = boundsOf(prod).flatMap(({ moves }) => [...moves.matchAll(/`(\w+)`/g)].map(([, name]) => name as string));
        expect(named.length).toBeGreaterThan(5);
        expect(named.filter((name) => name !== "functionTimeout" && !settingKeys.includes(name))).toEqual([]);
    });
});

test("text between marks is replaced, and missing marks are named with their document", () => {
    const text = "a\n<!-- x: start -->\nold\n<!-- x: end -->\nb\n";
    expect(withMarked("d.md", text, "x", "new")).toBe("a\n<!-- x: start -->\nnew\n<!-- x: end -->\nb\n");
    expect(() => withMarked("d.md", text, "y", "new")).toThrow("d.md: the marks <!-- y: start --> and <!-- y: end --> are missing");
});
