import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { BindingInfo } from "../../local/host/core-types";
import { readFunctions, type TimerFunction } from "../../local/host/functions";
import { readHostConfig } from "../../local/host/host-config";
import type { BackgroundInvocations } from "../../local/host/invocation";
import { TimerTrigger } from "../../local/host/timers";
import { temporaryDir } from "./package";

const settings = { SCHEDULE: "0 0 2 * * *", Lake__queueServiceUri: "https://127.0.0.1/lake", Lake__clientId: "client" };

function register(trigger: Record<string, unknown>, others: Record<string, BindingInfo> = {}, retryOptions?: unknown) {
    const bindings = { trigger: { direction: "in", ...trigger } as unknown as BindingInfo, ...others };
    return { metadata: { name: "f", bindings, retryOptions }, callback: () => undefined };
}

describe("what a package registers", () => {
    it("is read with settings resolved", () => {
        const timer = register({ type: "timerTrigger", schedule: "%SCHEDULE%" });
        const queue = register({ type: "queueTrigger", queueName: "in-%Lake__clientId%", connection: "Lake" });
        const output: BindingInfo = { type: "http", direction: "out" };
        const http = register({ type: "httpTrigger", methods: ["get"], authLevel: "function" }, { $return: output });
        expect(readFunctions([timer, queue, http], settings)).toEqual([
            { kind: "timer", registered: timer, binding: "trigger", disabled: false, schedule: "0 0 2 * * *", runOnStartup: false },
            {
                kind: "queue",
                registered: queue,
                binding: "trigger",
                disabled: false,
                queueName: "in-client",
                queueServiceUri: "https://127.0.0.1/lake",
                clientId: "client",
            },
            { kind: "http", registered: http, binding: "trigger", disabled: false, route: "f", methods: ["GET"], authLevel: "function" },
        ]);
    });

    it.each([
        [register({ type: "blobTrigger", path: "x" }), 'function "f" has a trigger of type blobTrigger; the local host runs httpTrigger'],
        [
            register({ type: "timerTrigger", schedule: "%NONE%" }),
            'function "f" names %NONE% in its trigger, but there is no app setting NONE',
        ],
        [
            register({ type: "queueTrigger", queueName: "q", connection: "Sea" }),
            'function "f" uses the connection "Sea", but there is no app setting Sea__queueServiceUri',
        ],
        [register({ type: "queueTrigger", connection: "Lake" }), 'function "f" has wrong options:'],
        [
            register({ type: "timerTrigger", schedule: "x" }, { out: { type: "queue", direction: "out" } }),
            'function "f" has the out binding "out" of type queue',
        ],
        [register({ type: "timerTrigger", schedule: "x" }, {}, { strategy: "fixedDelay" }), 'function "f" has a retry policy'],
        [register({ type: "http" }), 'function "f" has 0 triggers; expected one'],
    ])("is refused by name where it cannot run: %#", (registered, message) => {
        expect(() => readFunctions([registered], settings)).toThrow(message);
    });
});

describe("host.json", () => {
    function emptyDir(): string {
        const dir = temporaryDir();
        onTestFinished(() => {
            rmSync(dir, { recursive: true });
        });
        return dir;
    }

    function read(content: unknown) {
        const dir = emptyDir();
        writeFileSync(path.join(dir, "host.json"), JSON.stringify(content));
        return readHostConfig(dir);
    }

    it("has the defaults of Azure", () => {
        expect(read({ version: "2.0" })).toEqual({
            routePrefix: "api",
            logLevel: "information",
            queues: {
                maxPollingInterval: 60_000,
                visibilityTimeout: 0,
                batchSize: 16,
                newBatchThreshold: 8,
                maxDequeueCount: 5,
                messageEncoding: "base64",
            },
        });
    });

    it("is followed", () => {
        const shared = { batchSize: 4, newBatchThreshold: 3, maxDequeueCount: 2, messageEncoding: "none" };
        const queues = { maxPollingInterval: "00:00:02.5", visibilityTimeout: "1.00:01:00", ...shared };
        const logging = { logLevel: { default: "Debug" } };
        const config = read({ version: "2.0", extensions: { http: { routePrefix: "" }, queues }, logging });
        expect(config).toMatchObject({
            routePrefix: "",
            logLevel: "debug",
            queues: { maxPollingInterval: 2_500, visibilityTimeout: 86_460_000, ...shared },
        });
    });

    it("is refused with the place of what is wrong", () => {
        const withQueues = (queues: object) => () => read({ version: "2.0", extensions: { queues } });
        expect(withQueues({ batchSize: 33 })).toThrow(/host\.json:[^]*extensions\.queues\.batchSize/);
        expect(withQueues({ visibilityTimeout: "30s" })).toThrow("expected a time span");
        expect(() => readHostConfig(emptyDir())).toThrow("host.json");
    });
});

describe("a schedule", () => {
    const invocations = {} as BackgroundInvocations;
    const trigger = (schedule: string) => {
        const target: TimerFunction = {
            kind: "timer",
            registered: register({ type: "timerTrigger" }),
            binding: "trigger",
            disabled: false,
            schedule,
            runOnStartup: false,
        };
        return new TimerTrigger(target, invocations, () => new Date("2026-01-01T00:00:00Z"));
    };

    it.each([
        ["0 */5 * * * *", "2026-01-01T00:05:00.000Z"],
        ["30 0 9-17 * * MON-FRI", "2026-01-01T09:00:30.000Z"],
        ["5/15 * * * * *", "2026-01-01T00:00:05.000Z"],
        // Both day fields must match: the first Friday that is a 13th.
        ["0 0 9 13 * 5", "2026-02-13T09:00:00.000Z"],
    ])("%s is read as NCRONTAB in UTC", (schedule, next) => {
        expect(trigger(schedule).next).toBe(next);
    });

    const wrong = ["*/5 * * * *", "0 0 9 L * *", "0 0 9 ? * *", "@daily", "00:05:00", "0 0 25 * * *", "0 0 9 * * 5#2"];
    it.each(wrong)("%s is refused", (schedule) => {
        expect(() => trigger(schedule)).toThrow(`function "f": its schedule "${schedule}" is wrong`);
    });
});
