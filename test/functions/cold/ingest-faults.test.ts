import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Lake } from "../../../functions/clients/lake";
import { defaultLimits } from "../../../functions/ingest/limits";
import { lockPath } from "../../../functions/ingest/run-lock";
import { IngestError } from "../../../functions/ingest/summary";
import { type IngestWorld, mebibyte, startIngestWorld } from "./ingest-world";
import { answerError, type S3Request } from "./s3-front";

const limits = () => ({ ...defaultLimits(), streamBlockBytes: mebibyte });

describe("ingest on a bad day", () => {
    let world: IngestWorld;
    beforeAll(async () => {
        world = await startIngestWorld();
    }, 600_000);
    afterAll(() => world.stop());

    afterEach(async () => {
        world.front.reset();
        await world.parts.clear();
    });

    const logs = () => world.parts.contents("logs");
    const blob = async (path: string) => await world.parts.container("logs").getBlobClient(path).downloadToBuffer();
    const isRead = (request: S3Request, key: string) => request.method === "GET" && request.key === key;
    const ranges = (key: string) => world.front.requests.filter((request) => isRead(request, key)).map(({ headers }) => headers.range);

    test.each(["stall", "break"] as const)("takes a body up again where it was when it %ss, of the same version", async (how) => {
        await world.fill({ "players/a/small": "0123456789" });
        const content = randomBytes(3 * mebibyte);
        await world.putWithCrc("players/a/large", content);
        // Each time half of what is left comes, three times.
        const left = new Map<string, number>();
        world.front.cut = (request) => {
            if (request.method !== "GET" || request.key === "") {
                return undefined;
            }
            const times = left.get(request.key) ?? 0;
            left.set(request.key, times + 1);
            const from = Number(/bytes=(\d+)/u.exec(request.headers.range ?? "")?.[1] ?? 0);
            const size = request.key.endsWith("large") ? content.length : 10;
            return times >= 3 ? undefined : { after: Math.floor((size - from) / 2), how };
        };
        const { summary, failure } = await world.run({ source: world.sourceWith({ idleMs: 300 }), limits: limits() });
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ copied: 2, verified: { crc64: 1, md5: 1 }, folders: ["players/a"] });
        expect((await blob("players/a/large")).equals(content)).toBe(true);
        expect((await blob("players/a/small")).toString()).toBe("0123456789");
        expect(ranges("players/a/small")).toEqual([undefined, "bytes=5-", "bytes=7-", "bytes=8-"]);
        expect(world.front.requests.filter((request) => isRead(request, "players/a/large")).every(({ headers }) => headers["if-match"])).toBe(true);
    });

    test("reports a body that stalls again and again, and leaves nothing of it", async () => {
        await world.fill({ "players/a/1": "one", "players/b/1": "one" });
        world.front.cut = (request) => (isRead(request, "players/a/1") ? { after: 0, how: "stall" } : undefined);
        const { summary, failure } = await world.run({ source: world.sourceWith({ idleMs: 50 }) });
        expect(failure).toBeInstanceOf(IngestError);
        expect(failure).toMatchObject({ retryable: true, message: expect.stringContaining("players/a/1") as string });
        expect(summary.failed).toEqual([{ key: "players/a/1", reason: expect.stringContaining("ended after 0 of 3 bytes: gave nothing for 50 ms") as string }]);
        expect(Object.keys(await logs())).toEqual(["players/b/1", "players/b/_SUCCESS"]);
    });

    test("never copies half of a version when the object is replaced between two parts of its body", async () => {
        await world.fill({});
        const [first, second] = [randomBytes(2 * mebibyte), randomBytes(2 * mebibyte)];
        await world.putWithCrc("players/a/1", first);
        let reads = 0;
        world.front.cut = (request) => (isRead(request, "players/a/1") && reads === 1 ? { after: mebibyte, how: "break" } : undefined);
        world.front.intercept = async (request) => {
            reads += isRead(request, "players/a/1") ? 1 : 0;
            if (reads === 2 && isRead(request, "players/a/1")) {
                await world.putWithCrc("players/a/1", second);
            }
            return false;
        };
        const { summary, failure } = await world.run({ limits: limits() });
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ copied: 1, verified: { crc64: 1 } });
        expect((await blob("players/a/1")).equals(second)).toBe(true);
    });

    test("reports an object that is replaced faster than it can be copied", async () => {
        await world.fill({ "players/a/1": "0" });
        let version = 0;
        world.front.intercept = async (request) => {
            if (isRead(request, "players/a/1")) {
                version += 1;
                await world.put({ "players/a/1": String(version) });
            }
            return false;
        };
        const { summary } = await world.run();
        expect(summary.failed).toEqual([{ key: "players/a/1", reason: expect.stringContaining("was replaced") as string }]);
        expect(await logs()).toEqual({});
        world.front.reset();
        expect((await world.run()).summary).toMatchObject({ copied: 1, failed: [], folders: ["players/a"] });
    });

    test("reports an object that was deleted after the listing, and does not mark its folder", async () => {
        await world.fill({ "players/a/1": "one", "players/a/2": "two", "players/b/1": "one" });
        world.front.intercept = async (request) => {
            if (isRead(request, "players/a/1")) {
                await world.remove("players/a/1");
            }
            return false;
        };
        const { summary, failure } = await world.run();
        expect(failure).toBeInstanceOf(IngestError);
        expect(summary).toMatchObject({ outcome: "incomplete", listed: 3, copied: 2, folders: ["players/b"] });
        expect(summary.failed).toEqual([{ key: "players/a/1", reason: expect.stringContaining("deleted") as string }]);
        expect(Object.keys(await logs())).toEqual(["players/a/2", "players/b/1", "players/b/_SUCCESS"]);
        expect((await world.run()).summary).toMatchObject({ copied: 0, failed: [], folders: ["players/a"] });
    });

    test("leaves the marker of a complete folder alone when its only new object has vanished", async () => {
        await world.fill({ "players/a/1": "one" });
        await world.run();
        const before = await world.parts.lake.find("logs", "players/a/_SUCCESS");
        await world.put({ "players/a/2": "two" });
        world.front.intercept = async (request) => {
            if (request.key === "players/a/2") {
                await world.remove("players/a/2");
            }
            return false;
        };
        await world.run();
        expect((await world.run()).summary).toMatchObject({ copied: 0, folders: [] });
        expect((await world.parts.lake.find("logs", "players/a/_SUCCESS"))?.etag).toBe(before?.etag);
    });

    test("says what S3 says of an object that it does not give", async () => {
        await world.fill({ "players/a/1": "one" });
        world.front.intercept = (request, response) => isRead(request, "players/a/1") && answerError(response, 403, "InvalidObjectState");
        expect((await world.run()).summary.failed).toEqual([{ key: "players/a/1", reason: expect.stringContaining("InvalidObjectState") as string }]);
    });

    test("fired twice, runs once: the second finds it at work and does nothing", async () => {
        await world.fill({ "players/a/1": "one" });
        let second: Awaited<ReturnType<IngestWorld["run"]>> | undefined;
        world.front.intercept = async (request) => {
            if (isRead(request, "players/a/1")) {
                second = await world.run({ lock: { waitMs: 0 } });
            }
            return false;
        };
        expect((await world.run()).summary).toMatchObject({ copied: 1, folders: ["players/a"] });
        expect(second).toMatchObject({ failure: undefined, summary: undefined, lines: [{ event: "ingest:busy" }] });
        expect(Object.keys(await world.parts.contents("runs"))).toHaveLength(2);
    });

    test("waits for the lock of a run that was killed, and works then", async () => {
        await world.fill({ "players/a/1": "one" });
        const dead = await world.parts.lake.lease("runs", lockPath, 15);
        expect(dead).toBeDefined();
        const { summary, failure } = await world.run({ lock: { leaseSeconds: 15, waitMs: 120_000, askEveryMs: 500 } });
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ copied: 1 });
    }, 180_000);

    test("stops when the lock is lost: what is on its way is not written, and no folder is marked", async () => {
        await world.fill({ "players/a/1": "one", "players/b/1": "two" });
        const { lake } = world.parts;
        let lose: () => void = () => undefined;
        const lost = new Promise<void>((resolve) => (lose = resolve));
        const losing: Lake = {
            ...lake,
            async lease(...given) {
                const lease = await lake.lease(...given);
                return lease && { ...lease, renew: () => lost.then(() => false) };
            },
        };
        // The bodies come only after the lock has gone.
        world.front.cut = (request) => (request.method === "GET" && request.key !== "" ? { after: 1, how: "stall" } : undefined);
        const running = world.run({ lake: losing, lock: { leaseSeconds: 15 } });
        await expect.poll(() => world.front.requests.filter(({ method, key }) => method === "GET" && key !== "").length, { timeout: 60_000 }).toBe(2);
        lose();
        const { summary, failure } = await running;
        expect(failure).toBeInstanceOf(IngestError);
        expect(summary).toMatchObject({ outcome: "stopped", copied: 0, folders: [], failed: [{ key: lockPath, reason: "another run took the lock" }] });
        expect(await logs()).toEqual({});
    }, 180_000);
});
