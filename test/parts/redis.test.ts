import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { identify, isRunning } from "../../local/parts/processes";
import { startRedis, type RedisPart } from "../../local/parts/redis";
import { openWorkshop } from "../../local/parts/workshop";
import { temporaryDir, temporaryWorkshop } from "./temporary";

const user = "11111111-2222-3333-4444-555555555555";

/** A connection that fails at once, with the server's own words, instead of trying again. It trusts what its environment says. */
async function connect({ host, port }: RedisPart, login: { username?: string; password?: string }, tls = true): Promise<Redis> {
    const redis = new Redis({ host, port, ...login, ...(tls ? { tls: {} } : {}), lazyConnect: true, retryStrategy: () => null });
    const refusals: Error[] = [];
    redis.on("error", (error: Error) => refusals.push(error));
    onTestFinished(() => redis.disconnect());
    try {
        await redis.connect();
        await redis.ping();
        return redis;
    } catch (error) {
        throw refusals[0] ?? error;
    }
}

test("a user reads and writes with each of its tokens, and administers nothing", async () => {
    const part = await startRedis(await temporaryWorkshop());
    await part.allowUser(user);
    await part.setPassword(user, "token-1");
    await part.setPassword(user, "token-2");

    const redis = await connect(part, { username: user, password: "token-1" });
    expect(await redis.set("p:1", "value")).toBe("OK");
    await expect(redis.config("GET", "*")).rejects.toThrow(/NOPERM/);

    const other = await connect(part, { username: user, password: "token-2" });
    expect(await other.get("p:1")).toBe("value");
});

test("no way in without TLS, without a token, with an unknown one, or for a user that was not allowed", async () => {
    const part = await startRedis(await temporaryWorkshop());
    await part.allowUser(user);
    await part.setPassword(user, "token");

    await expect(connect(part, { username: user, password: "token" }, false)).rejects.toThrow(/ECONNRESET|closed/);
    await expect(connect(part, {})).rejects.toThrow(/NOAUTH/);
    await expect(connect(part, { username: user, password: "other" })).rejects.toThrow(/WRONGPASS/);
    await expect(connect(part, { username: "somebody", password: "token" })).rejects.toThrow(/WRONGPASS/);
});

test("after a kill it comes back at the same address with its data, users and tokens", async () => {
    const workshop = await temporaryWorkshop();
    const first = await startRedis(workshop);
    await first.allowUser(user);
    await first.setPassword(user, "token");
    const redis = await connect(first, { username: user, password: "token" });
    await redis.set("p:1", "value");
    // Redis writes its file down every second.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    process.kill(first.process.pid, "SIGKILL");
    expect(await first.process.exited).toBeNull();

    const second = await startRedis(workshop);
    expect({ port: second.port, adminPassword: second.adminPassword }).toEqual({ port: first.port, adminPassword: first.adminPassword });
    expect(await (await connect(second, { username: user, password: "token" })).get("p:1")).toBe("value");
});

test("two of them are there side by side, and stopping the workshop ends both", async () => {
    const workshop = await openWorkshop(temporaryDir());
    const parts = await Promise.all([startRedis(workshop, { name: "one" }), startRedis(workshop, { name: "two" })]);
    await (await connect(parts[0], { password: parts[0].adminPassword })).set("p:1", "value");
    expect(await (await connect(parts[1], { password: parts[1].adminPassword })).get("p:1")).toBeNull();
    const ids = parts.map(({ process: { pid } }) => identify(pid));
    await workshop.stop();
    expect(ids.map((id) => id !== undefined && isRunning(id))).toEqual([false, false]);
});
