import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { PredictionCache } from "../../../functions/clients/cache";
import { renewalDelay } from "../../../functions/clients/cache-auth";
import { type CacheParts, startCacheParts } from "./cache-parts";
import { prediction } from "./predictions";

const lifetimeSeconds = 3;

describe("the cache's connection, with tokens of three seconds", () => {
    let parts: CacheParts;
    let cache: PredictionCache;

    beforeAll(async () => {
        parts = await startCacheParts();
        parts.identity.tokenLifetimeSeconds = lifetimeSeconds;
        cache = parts.open();
        await vi.waitFor(() => cache.putMany([prediction("a")]), { timeout: 20_000 });
    });
    afterAll(() => parts.stop());

    test("outlives them: no read fails while they end and are renewed, and the connection stays", async () => {
        const [connections, issued, authentications] = [await connectionIds(), parts.tokens.length, await authCalls()];
        expect(connections).toHaveLength(1);
        const until = Date.now() + 3 * lifetimeSeconds * 1000;
        let reads = 0;
        while (Date.now() < until) {
            expect(await cache.getMany(["a"])).toMatchObject([{ playerId: "a" }]);
            reads++;
            await sleep(2);
        }
        expect(reads).toBeGreaterThan(100);
        expect(parts.tokens.length - issued).toBeGreaterThanOrEqual(3);
        expect((await authCalls()) - authentications).toBeGreaterThanOrEqual(3);
        expect(await connectionIds()).toEqual(connections);
    });

    test("comes back after a loss with the newest token: the server takes no older one", async () => {
        const connections = await connectionIds();
        await parts.admin.client("KILL", "USER", parts.principalId);
        await vi.waitFor(() => cache.ping(), { timeout: 30_000 });
        expect(await connectionIds()).not.toEqual(connections);
        expect(await cache.getMany(["a"])).toMatchObject([{ playerId: "a" }]);
    });

    async function connectionIds(): Promise<string[]> {
        const list = (await parts.admin.client("LIST")) as string;
        const connections = list.split("\n").filter((line) => line.includes(` user=${parts.principalId} `));
        return connections.map((line) => /^id=(\d+)/.exec(line)?.[1] ?? line);
    }

    async function authCalls(): Promise<number> {
        return Number(/cmdstat_auth:calls=(\d+)/.exec(await parts.admin.info("commandstats"))?.[1] ?? 0);
    }
});

describe("the next token", () => {
    const minute = 60_000;

    test("is asked for between 4.5 and 3 minutes before the end, or about half-way through a short life", () => {
        for (const random of [0, 0.5, 1]) {
            const left = 60 * minute - renewalDelay(60 * minute, random);
            expect(left).toBeGreaterThanOrEqual(3 * minute);
            expect(left).toBeLessThanOrEqual(4.5 * minute);
            expect(renewalDelay(10_000, random) / 10_000).toBeCloseTo(0.4 + 0.2 * random);
        }
    });

    test("is asked for soon, but not at once, when the current one has ended", () => {
        expect(renewalDelay(-5_000, 0.5)).toBe(500);
    });
});
