import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { heapArguments, type InstanceMemory } from "../../local/host/instance-memory";

it.each<[InstanceMemory, number]>([
    [512, 259],
    [2048, 1120],
    [4096, 2240],
])("on an instance of %i MB the heap may have %i MB", (memory, megabytes) => {
    const script = "console.log(require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20)";
    expect(Number(execFileSync(process.execPath, [...heapArguments(memory), "--eval", script], { encoding: "utf8" }))).toBe(megabytes);
});
