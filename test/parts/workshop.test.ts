import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { identify, isRunning, type ProcessId } from "../../local/parts/processes";
import { openWorkshop, ProcessStartError, WorkshopError, WorkshopInUseError, type SpawnOptions } from "../../local/parts/workshop";
import { temporaryDir, temporaryWorkshop } from "./temporary";

const ready = (): Promise<boolean> => Promise.resolve(true);

function shell(name: string, script: string, options: Partial<SpawnOptions> = {}): SpawnOptions {
    return { name, command: "/bin/sh", args: ["-c", script], ready, ...options };
}

function running(pid: number): ProcessId {
    const id = identify(pid);
    expect(id).toBeDefined();
    return id as ProcessId;
}

/** Waits for a file that a process writes, and gives its text. */
async function textOf(file: string): Promise<string> {
    for (;;) {
        if (existsSync(file) && readFileSync(file, "utf8").endsWith("\n")) {
            return readFileSync(file, "utf8").trim();
        }
        await delay(20);
    }
}

test("a process gets its environment and folder, writes to its log, and is ended with what it forked", async () => {
    const dir = temporaryDir();
    const workshop = await temporaryWorkshop(dir);
    const process_ = await workshop.spawn(shell("parent", "echo $GREETING in $PWD; sleep 600 & echo $! > fork; wait", { cwd: dir, env: { GREETING: "hello" } }));
    const fork = running(Number(await textOf(path.join(dir, "fork"))));
    expect(readFileSync(process_.logFile, "utf8")).toBe(`hello in ${dir}\n`);
    await process_.stop();
    expect(await process_.exited).toBeNull();
    expect(isRunning(fork)).toBe(false);
    expect(readdirSync(path.join(dir, "run"))).toEqual([]);
});

test("waits until a process is ready; a probe that throws is not yet", async () => {
    const workshop = await temporaryWorkshop();
    let asked = 0;
    await workshop.spawn(
        shell("slow", "sleep 600", {
            ready: () => {
                asked += 1;
                return asked === 1 ? Promise.reject(new Error("connection refused")) : Promise.resolve(asked === 3);
            },
        }),
    );
    expect(asked).toBe(3);
});

test("a process that ends before it is ready fails with the end of its log and where the log is", async () => {
    const workshop = await temporaryWorkshop();
    const start = workshop.spawn(shell("broken", "echo reading settings; echo no port given >&2; exit 3", { ready: () => Promise.resolve(false) }));
    await expect(start).rejects.toThrow(ProcessStartError);
    await expect(start).rejects.toThrow(/^broken ended with 3 before it was ready; the end of .*\/logs\/broken\.log:\nreading settings\nno port given$/);
});

test("a process that is not ready in time fails and is not left running", async () => {
    const dir = temporaryDir();
    const workshop = await temporaryWorkshop(dir);
    const start = workshop.spawn(shell("hung", "echo $$ > pid; sleep 600", { cwd: dir, ready: () => new Promise(() => undefined), timeoutMs: 300 }));
    await expect(start).rejects.toThrow(/^hung was not ready after 300 ms/);
    expect(identify(Number(await textOf(path.join(dir, "pid"))))).toBeUndefined();
});

test("a program that is not there is named", async () => {
    const workshop = await temporaryWorkshop();
    await expect(workshop.spawn({ name: "none", command: "/no/such/program", args: [], ready })).rejects.toThrow(/^none: \/no\/such\/program cannot be started/);
});

test("a name is taken while its process runs, and its last log is kept", async () => {
    const workshop = await temporaryWorkshop();
    const first = await workshop.spawn(shell("part", "echo first; sleep 600", { ready: () => delay(200, true) }));
    await expect(workshop.spawn(shell("part", "sleep 600"))).rejects.toThrow(WorkshopError);
    await expect(workshop.spawn(shell("../part", "sleep 600"))).rejects.toThrow(WorkshopError);
    await first.stop();
    const second = await workshop.spawn(shell("part", "sleep 600"));
    expect(readFileSync(second.logFile.replace(/\.log$/, ".previous.log"), "utf8")).toBe("first\n");
});

test("stops in reverse order, all of it even when a step fails, and starts nothing afterwards", async () => {
    const workshop = await openWorkshop(temporaryDir());
    const order: string[] = [];
    const note = (what: string): Promise<void> => Promise.resolve(void order.push(what));
    workshop.onStop(() => note("first"));
    const { exited } = await workshop.spawn(shell("server", "sleep 600"));
    void exited.then(() => note("server"));
    workshop.onStop(() => note("last").then(() => Promise.reject(new Error("cannot close"))));
    await expect(workshop.stop()).rejects.toThrow(/cannot close/);
    expect(order).toEqual(["last", "server", "first"]);
    await expect(workshop.spawn(shell("late", "sleep 600"))).rejects.toThrow(WorkshopError);
});

test("stopping while a process starts ends the process and its start", async () => {
    const workshop = await openWorkshop(temporaryDir());
    const start = workshop.spawn(shell("server", "sleep 600", { ready: () => Promise.resolve(false) }));
    const refused = expect(start).rejects.toThrow(ProcessStartError);
    await workshop.stop();
    await refused;
});

test("one at a time has a folder; the other is told who", async () => {
    const dir = temporaryDir();
    const first = await openWorkshop(dir);
    await expect(openWorkshop(path.join(dir, "."))).rejects.toThrow(WorkshopInUseError);
    await expect(openWorkshop(dir)).rejects.toThrow(`is in use by process ${process.pid}`);
    await first.stop();
    await (await openWorkshop(dir)).stop();
});

test.each(["the folder", "another folder"])("processes of an owner that was killed are ended by the next to open %s, and only they", async (which) => {
    const dir = temporaryDir();
    const owner = spawn(process.execPath, ["--import", "tsx", path.join(__dirname, "owner.ts"), dir], { stdio: ["ignore", "pipe", "inherit"] });
    const [said] = (await Promise.race([once(owner.stdout, "data"), once(owner, "exit")])) as [Buffer | number];
    const { redis, stubborn } = JSON.parse(said.toString()) as { redis: number; stubborn: number };
    const left = [running(redis), running(stubborn)];
    await expect(openWorkshop(dir)).rejects.toThrow(`is in use by process ${owner.pid}`);
    owner.kill("SIGKILL");
    await once(owner, "close");

    // A record whose process is gone and whose number is another's now.
    const bystander = spawn("sleep", ["600"], { detached: true });
    onTestFinished(() => void bystander.kill());
    const id = running(bystander.pid as number);
    writeRecord(dir, "reused", { ...id, started: "another boot/1" }, { pid: 1, started: "another boot/1" });
    // One of an owner that is there, and one that a kill left half written.
    writeRecord(dir, "owned", id, running(process.pid));
    writeFileSync(path.join(dir, "run", "half.json"), '{"name":');

    await temporaryWorkshop(which === "the folder" ? dir : temporaryDir());
    expect(left.map(isRunning)).toEqual([false, false]);
    expect(isRunning(id)).toBe(true);
    expect(readdirSync(path.join(dir, "run")).filter((file) => file.endsWith(".json"))).toEqual(["owned.json"]);
});

function writeRecord(dir: string, name: string, process: ProcessId, owner: ProcessId): void {
    writeFileSync(path.join(dir, "run", `${name}.json`), JSON.stringify({ name, process, owner }));
}
