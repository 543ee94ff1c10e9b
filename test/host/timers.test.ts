import { readFileSync } from "node:fs";
import type { Timer } from "@azure/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHost } from "../../local/host";
import type { Process, Workshop } from "../../local/parts/workshop";
import { buildFixture, closeTestWorkshop, keys, openTestWorkshop, until } from "./package";

interface Run {
    readonly name: string;
    readonly startedAt: number;
    readonly endedAt?: number;
    readonly timer: Timer;
    readonly metadata?: unknown;
}

let workshop: Workshop;
let host: { url: string; process: Process };

beforeAll(async () => {
    workshop = await openTestWorkshop();
    host = await startHost(workshop, {
        packageDir: await buildFixture(workshop.dir, "timers"),
        appSettings: { EVERY_SECOND: "* * * * * *", "AzureWebJobs.disabled.Disabled": "true" },
        identity: { endpoint: "http://127.0.0.1:1/token", header: "identity-header" },
        keys,
        port: 0,
    });
});

afterAll(async () => {
    await closeTestWorkshop(workshop);
});

async function runsOf(name: string): Promise<Run[]> {
    return ((await (await fetch(`${host.url}/api/runs`)).json()) as Run[]).filter((run) => run.name === name);
}

function trigger(name: string, body?: string): Promise<Response> {
    return fetch(`${host.url}/admin/functions/${name}`, { method: "POST", headers: { "x-functions-key": keys.masterKey }, body });
}

describe("a timer", () => {
    it("runs on its schedule, which may be a setting, and is told of its schedule", async () => {
        const runs = await until(
            () => runsOf("everySecond"),
            ({ length }) => length >= 3,
        );
        const [first, second, third] = runs;
        for (const [one, next] of [
            [first, second],
            [second, third],
        ]) {
            expect((next?.startedAt ?? 0) - (one?.startedAt ?? 0)).toBeGreaterThan(500);
        }
        expect(third?.timer).toEqual({
            isPastDue: false,
            schedule: { adjustForDST: true },
            scheduleStatus: {
                last: expect.stringMatching(/Z$/) as string,
                next: expect.stringMatching(/:\d\d\.000Z$/) as string,
                lastUpdated: expect.stringMatching(/Z$/) as string,
            },
        });
        expect(third?.metadata).toBeUndefined();
    });

    it("never runs while its run before is under way", async () => {
        const runs = await until(
            () => runsOf("slow"),
            (all) => all.filter(({ endedAt }) => endedAt !== undefined).length >= 3,
        );
        for (const [index, run] of runs.entries()) {
            expect(run.startedAt).toBeGreaterThanOrEqual(runs[index - 1]?.endedAt ?? 0);
        }
    });

    it("runs at the start only where it asks to", async () => {
        expect(await runsOf("atStart")).toHaveLength(1);
        expect(await runsOf("yearly")).toHaveLength(0);
    });

    it("that is disabled runs only when it is told to", async () => {
        await until(
            () => runsOf("everySecond"),
            ({ length }) => length >= 3,
        );
        expect(await runsOf("disabled")).toHaveLength(0);
        const described = await fetch(`${host.url}/admin/functions`, { headers: { "x-functions-key": keys.masterKey } });
        const functions = (await described.json()) as { name: string; isDisabled: boolean }[];
        expect(functions.filter(({ isDisabled }) => isDisabled).map(({ name }) => name)).toEqual(["disabled"]);
        expect((await trigger("disabled")).status).toBe(202);
        await until(
            () => runsOf("disabled"),
            ({ length }) => length === 1,
        );
    });

    it("runs when it is told to, at once accepted, and the log says when it ended", async () => {
        expect((await trigger("yearly")).status).toBe(202);
        expect((await trigger("yearly", '{"input":"ignored"}')).status).toBe(202);
        expect((await trigger("yearly", "not json")).status).toBe(400);
        const runs = await until(
            () => runsOf("yearly"),
            ({ length }) => length === 2,
        );
        expect(runs[0]?.timer.scheduleStatus.next).toMatch(/-01-01T03:00:00\.000Z$/);
        await until(
            () => Promise.resolve(readFileSync(host.process.logFile, "utf8")),
            (log) => log.match(/Executed 'Functions\.yearly' \(Succeeded, Id=[\da-f-]+, Duration=\d+ms\)/g)?.length === 2,
        );
    });

    it("that fails is logged, and the host goes on", async () => {
        expect((await trigger("fails")).status).toBe(202);
        await until(
            () => Promise.resolve(readFileSync(host.process.logFile, "utf8")),
            (log) => /error fails [\da-f-]+ Executed 'Functions\.fails' \(Failed, .*Error: the timer failed/.test(log),
        );
        expect((await trigger("yearly")).status).toBe(202);
    });
});
