import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHost } from "../../local/host";
import { heapArguments } from "../../local/host/instance-memory";
import type { Workshop } from "../../local/parts/workshop";
import { buildFixture, closeTestWorkshop, keys, openTestWorkshop, until, writeFixture } from "./package";

let workshop: Workshop;
let lifecycle: string;

beforeAll(async () => {
    workshop = await openTestWorkshop();
    lifecycle = await buildFixture(workshop.dir, "lifecycle");
});

afterAll(async () => {
    await closeTestWorkshop(workshop);
});

function start(packageDir: string, port = 0, appSettings: Record<string, string> = {}) {
    const identity = { endpoint: "http://127.0.0.1:1/token", header: "identity-header" };
    return startHost(workshop, { packageDir, appSettings, identity, keys, port });
}

describe("the host's process", () => {
    it("takes another port where the preferred one is taken", async () => {
        const server = createServer();
        const port = await new Promise<number>((resolve) => {
            server.listen(0, "127.0.0.1", () => {
                resolve((server.address() as { port: number }).port);
            });
        });
        const host = await start(lifecycle, port);
        expect(host.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
        expect(host.url).not.toBe(`http://127.0.0.1:${port}`);
        await host.process.stop();
        await new Promise((resolve) => server.close(resolve));
        const again = await start(lifecycle, port);
        expect(again.url).toBe(`http://127.0.0.1:${port}`);
        await again.process.stop();
    });

    it("has the heap of its instance", async () => {
        const identity = { endpoint: "http://127.0.0.1:1/token", header: "identity-header" };
        const { process: child } = await startHost(workshop, { packageDir: lifecycle, appSettings: {}, identity, keys, port: 0, memory: 512 });
        expect(readFileSync(`/proc/${child.pid}/cmdline`, "utf8").split("\0")).toEqual(expect.arrayContaining(heapArguments(512)));
        await child.stop();
    });

    it("leaves no key on the disk, and shows none", async () => {
        const host = await start(lifecycle);
        for (const file of readdirSync(path.join(workshop.dir, "host"))) {
            expect(readFileSync(path.join(workshop.dir, "host", file), "utf8")).not.toContain(keys.masterKey);
        }
        expect(readFileSync(`/proc/${host.process.pid}/cmdline`, "utf8")).not.toContain(keys.masterKey);
        expect(readFileSync(`/proc/${host.process.pid}/environ`, "utf8")).not.toContain(keys.masterKey);
        await host.process.stop();
    });

    it("lets requests and invocations in flight finish when it is ended, runs the last hooks and exits with 0", async () => {
        const host = await start(lifecycle);
        const headers = { "x-functions-key": keys.masterKey };
        expect((await fetch(`${host.url}/admin/functions/long`, { method: "POST", headers })).status).toBe(202);
        const slow = fetch(`${host.url}/api/slow`);
        const logged = (text: string) =>
            until(
                () => Promise.resolve(readFileSync(host.process.logFile, "utf8")),
                (log) => log.includes(text),
            );
        await logged("the request began");
        process.kill(host.process.pid, "SIGTERM");
        await logged("ending: no new work is taken");
        await expect(fetch(`${host.url}/api/slow`)).rejects.toThrow();
        expect(await (await slow).text()).toBe("finished");
        expect(await host.process.exited).toBe(0);
        const log = readFileSync(host.process.logFile, "utf8");
        const finished = log.indexOf("the timer finished");
        expect(finished).toBeGreaterThan(0);
        expect(log.indexOf("terminated, started=true")).toBeGreaterThan(finished);
        expect(log).not.toContain("a line below the level");
    });

    it("runs the hooks of an invocation and of the log", async () => {
        const host = await start(lifecycle);
        const answer = await fetch(`${host.url}/api/hooked`);
        expect([answer.status, await answer.text()]).toEqual([409, "before: from the hook"]);
        const id = answer.headers.get("x-ms-invocation-id");
        expect(readFileSync(host.process.logFile, "utf8")).toContain(` information hooked ${id} a *** line\n`);
        await host.process.stop();
    });

    it("ends by itself with what the package threw while it loaded", async () => {
        const throwing = writeFixture(workshop.dir, "throwing", 'throw new Error("a setting is missing");');
        await expect(start(throwing)).rejects.toThrow("a setting is missing");
    });

    it("ends by itself where the package cannot run", async () => {
        await expect(start(await buildFixture(workshop.dir, "timers"))).rejects.toThrow(
            'function "everySecond" names %EVERY_SECOND% in its trigger, but there is no app setting EVERY_SECOND',
        );
        await expect(start(writeFixture(workshop.dir, "empty", ""))).rejects.toThrow("the package did not load @azure/functions");
        await expect(start(path.join(workshop.dir, "nowhere"))).rejects.toThrow("nowhere");
    });

    it("has UTC for its time zone, whatever the machine has", async () => {
        const host = await start(lifecycle);
        await until(
            () => Promise.resolve(readFileSync(`/proc/${host.process.pid}/environ`, "utf8")),
            (environment) => environment.split("\0").includes("TZ=UTC"),
        );
        await host.process.stop();
    });
});
