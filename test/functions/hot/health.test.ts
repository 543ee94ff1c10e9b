import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createHealth, healthSchema } from "../../../functions/health/health";

class DatabaseError extends Error {
    override readonly name = "DatabaseError";
}

describe("the health of the service", () => {
    test("is up when every check is", async () => {
        const health = await createHealth({ cache: async () => {}, lake: async () => {} })();
        expect(healthSchema.parse(health)).toEqual(health);
        expect(health).toMatchObject({
            status: "up",
            checks: [
                { name: "cache", status: "up" },
                { name: "lake", status: "up" },
            ],
        });
    });

    test("is down with the one that fails, without its message", async () => {
        const reported: unknown[] = [];
        const report = (name: string, error: unknown) => reported.push([name, error]);
        const failure = new DatabaseError("password of studio@10.0.0.1 refused");
        const health = await createHealth({ cache: async () => {}, database: () => Promise.reject(failure) }, { report })();
        expect(health.status).toBe("down");
        expect(health.checks[1]).toMatchObject({ name: "database", status: "down", detail: "DatabaseError" });
        expect(JSON.stringify(health)).not.toContain("studio");
        expect(reported).toEqual([["database", failure]]);
    });

    test("counts a client that cannot even be built as down", async () => {
        const health = await createHealth({
            lake: () => {
                throw new TypeError("no setting");
            },
        })();
        expect(health.checks).toMatchObject([{ name: "lake", status: "down", detail: "TypeError" }]);
    });

    test("runs the checks at once, and waits for none longer than its time", async () => {
        const hang = () => new Promise<void>(() => {});
        const health = await createHealth({ a: hang, b: hang, c: () => sleep(10) }, { timeoutMs: 500 })();
        expect(health.checks.map((check) => check.status)).toEqual(["down", "down", "up"]);
        expect(health.checks[0]?.detail).toBe("TimeoutError");
    });

    test("is asked of the dependencies at most once in five seconds, whoever asks", async () => {
        let now = Date.UTC(2026, 0);
        let calls = 0;
        const health = createHealth({ cache: () => Promise.resolve(void calls++) }, { now: () => now });
        await Promise.all(Array.from({ length: 100 }, health));
        now += 4_999;
        await health();
        expect(calls).toBe(1);
        now += 1;
        await health();
        expect(calls).toBe(2);
    });
});
