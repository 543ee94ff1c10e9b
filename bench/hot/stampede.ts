import { setTimeout as sleep } from "node:timers/promises";
import { type Row, spread } from "../lib";
import { healthy } from "../../test/faults/scripted-model";
import type { LoadGenerator } from "./load";
import type { Parts } from "./parts";
import type { Scale } from "./scale";

const requests = 1_000;
const modelMs = 50;

/** Many ask for the same player at once, whom nobody knows. */
export async function stampede(parts: Parts, load: LoadGenerator, scale: Scale): Promise<Row[]> {
    const host = await parts.host("host-stampede", { REQUEST_DEADLINE_MS: "10000" });
    parts.model.script = async (response, players) => {
        await sleep(modelMs);
        await healthy(response, players);
    };
    const calls: number[] = [];
    const times: number[] = [];
    for (let run = 0; run < scale.runs; run += 1) {
        const before = parts.model.calls;
        const traffic = { kind: "same", playerId: `nobody-${run}` } as const;
        const { latency } = await load.run({ url: host.url, path: "/api/predictions", traffic, connections: requests, length: { requests } });
        calls.push(parts.model.calls - before);
        times.push(latency.p99);
    }
    parts.model.reset();
    await host.process.stop();
    return [
        {
            id: "stampede",
            work: "1,000 concurrent requests for one missing player: calls of the model",
            unit: "calls",
            figure: spread(calls),
            goal: { op: "=", value: 1 },
            note: `the model takes ${modelMs} ms; p99 of the requests ${Math.round(spread(times).median)} ms`,
        },
    ];
}
