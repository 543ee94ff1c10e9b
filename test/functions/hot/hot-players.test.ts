import { describe, expect, test } from "vitest";
import { HotPlayers } from "../../../functions/predict/hot-players";
import { prediction } from "./predictions";

const stored = (playerId: string, second = 0) => ({
    ...prediction(playerId, { scoredAt: new Date(Date.UTC(2026, 0, 31, 12, 0, second)).toISOString() }),
    freshUntil: new Date(Date.UTC(2026, 1, 1)),
});

describe("the players in memory", () => {
    test("are there for their time from when they were put in, however often they are read", () => {
        let now = 1_000_000;
        const hot = new HotPlayers({ max: 10, ttlMs: 1_000, now: () => now });
        hot.put(stored("a"));
        for (let i = 0; i < 10; i++) {
            now += 100;
            expect(hot.get("a")).toEqual({ prediction: stored("a") });
        }
        now += 1;
        expect(hot.get("a")).toBeUndefined();
    });

    test("are the newest: neither an older prediction nor the same one again takes their place or their time", () => {
        let now = 1_000_000;
        const hot = new HotPlayers({ max: 10, ttlMs: 1_000, now: () => now });
        hot.put(stored("a", 2));
        now += 900;
        hot.put(stored("a", 1));
        hot.put(stored("a", 2));
        expect(hot.get("a")).toEqual({ prediction: stored("a", 2) });
        now += 200;
        expect(hot.get("a")).toBeUndefined();
        hot.put(stored("a", 1));
        hot.put(stored("a", 3));
        expect(hot.get("a")).toEqual({ prediction: stored("a", 3) });
    });

    test("are as many as the settings say, the longest unused leave first; none at 0", () => {
        const hot = new HotPlayers({ max: 2, ttlMs: 1_000, now: Date.now });
        for (const playerId of ["a", "b", "c"]) {
            hot.put(stored(playerId));
            hot.get("a");
        }
        expect([hot.size, hot.get("a")?.prediction.playerId, hot.get("b"), hot.get("c")?.prediction.playerId]).toEqual([2, "a", undefined, "c"]);
        const none = new HotPlayers({ max: 0, ttlMs: 1_000, now: Date.now });
        none.put(stored("a"));
        expect([none.size, none.get("a")]).toEqual([0, undefined]);
    });
});
