import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { answering, changing, healthy, resetting, type Script } from "../../test/faults/scripted-model";
import { type Row, spread } from "../lib";
import type { LoadGenerator } from "./load";
import type { Parts } from "./parts";
import type { Scale } from "./scale";

const modelMs = 5;
const sampleMs = 100;
const instanceMemory = 512;

/** What the model does when it is asked about a player of the faulty requests. */
const faults: readonly Script[] = [
    answering(500, ""),
    answering(424, "{}"),
    answering(429, "too many requests"),
    answering(429, "too many requests", { "retry-after": "0" }),
    changing((text) => text.slice(1)),
    resetting,
];

/** Mixed requests for a while, some of them faulty: what the memory of a process with the heap of the smallest instance does. */
export async function endurance(parts: Parts, load: LoadGenerator, scale: Scale): Promise<Row[]> {
    const { redisProxy, model } = parts;
    const host = await parts.host("host-endurance", { REDIS_PORT: String(redisProxy.port), HOT_PLAYERS: "10000", MODEL_MAX_CALLS: "8" }, instanceMemory);
    let faulty = 0;
    model.script = async (response, players) => {
        await sleep(modelMs);
        const isFaulty = players.some(({ playerId }) => playerId.startsWith("fault"));
        await (isFaulty ? (faults[faulty++ % faults.length] as Script) : healthy)(response, players);
    };
    const statuses: Record<string, number> = {};
    const run = async (requests: number): Promise<number[]> => {
        const samples: number[] = [];
        const sampling = setInterval(() => samples.push(memoryOf(host.process.pid)), sampleMs);
        const traffic = { kind: "mixed", prefix: `new-${requests}-${samples.length}` } as const;
        const { statuses: got } = await load.run(
            { url: host.url, path: "/api/predictions", traffic, connections: 50, length: { requests } },
            { anyStatus: true },
        );
        clearInterval(sampling);
        for (const [status, count] of Object.entries(got)) {
            statuses[status] = (statuses[status] ?? 0) + count;
        }
        redisProxy.reset();
        return [...samples, memoryOf(host.process.pid)];
    };
    const parts_ = 5;
    await run(scale.warmUpRequests - scale.mixedRequests / parts_);
    const before = spread(await run(scale.mixedRequests / parts_)).median;
    let last: number[] = [];
    for (let i = 0; i < parts_; i += 1) {
        last = await run(scale.mixedRequests / parts_);
    }
    model.reset();
    await host.process.stop();
    return [
        {
            id: "endurance-memory",
            work: "100,000 mixed requests with 1 % faults: growth of RSS after warm-up",
            unit: "%",
            figure: spread(last.map((bytes) => 100 * (bytes / before - 1))),
            goal: { op: "<=", value: 5 },
            note: `from ${Math.round(before)} MiB, with the heap of an instance of ${instanceMemory} MB; the last fifth's samples; answers by status ${JSON.stringify(statuses)}`,
        },
    ];
}

/** In MiB. */
function memoryOf(pid: number): number {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
