import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lock, lockHolder, tryLock } from "../../local/parts/lock";

const name = (): string => `test ${crypto.randomUUID()}`;

test("one has it at a time, and it is told who", async () => {
    const wanted = name();
    const first = await tryLock(wanted);
    expect(first).toBeDefined();
    expect(await tryLock(wanted)).toBeUndefined();
    expect(await lockHolder(wanted)).toBe(process.pid);
    await first?.release();
    expect(await lockHolder(wanted)).toBeUndefined();
    const second = await tryLock(wanted);
    expect(second).toBeDefined();
    await second?.release();
});

test("those who wait get it one after the other", async () => {
    const wanted = name();
    let inside = 0;
    const turns = Array.from({ length: 8 }, async () => {
        const held = await lock(wanted);
        inside += 1;
        expect(inside).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside -= 1;
        await held.release();
    });
    await Promise.all(turns);
});

test("a holder that is killed gives it to who waits", async () => {
    const wanted = name();
    const script = `require(${JSON.stringify(path.join(__dirname, "../../local/parts/lock.ts"))}).tryLock(${JSON.stringify(wanted)}).then(() => console.log("held")); setInterval(() => 0, 1000)`;
    const holder = spawn(process.execPath, ["--import", "tsx", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void holder.kill("SIGKILL"));
    await once(holder.stdout, "data");
    const waitedFor: number[] = [];
    const waiting = lock(wanted, (pid) => {
        waitedFor.push(pid);
        holder.kill("SIGKILL");
    });
    await (await waiting).release();
    expect(waitedFor).toEqual([holder.pid]);
});
