import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ensureSystemPackages, findBinary, MissingPackagesError } from "../../local/parts/system";
import { temporaryDir } from "./temporary";

/** The only folder on the PATH: a machine without Redis. */
let bin: string;

beforeEach(() => {
    bin = path.join(temporaryDir(), "bin");
    mkdirSync(bin);
    vi.stubEnv("PATH", bin);
    vi.spyOn(console, "log").mockReturnValue();
});

afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
});

function program(name: string, script: string): void {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(bin, name), 0o755);
}

function asUser(uid: number): void {
    vi.spyOn(process, "getuid").mockReturnValue(uid);
}

test("asks a plain user for the one line to run, and runs nothing", async () => {
    asUser(1000);
    program("apt-get", `echo "$@" >> ${bin}/calls; exit 1`);
    const missing = ensureSystemPackages(["redis-server", "python3-venv"]);
    await expect(missing).rejects.toThrow(MissingPackagesError);
    await expect(missing).rejects.toThrow(
        "missing on this machine: redis-server, python3-venv. " +
            "On Debian or Ubuntu run: sudo apt-get install -y --no-install-recommends redis-server python3 python3-venv",
    );
    expect(() => readFileSync(path.join(bin, "calls"))).toThrow();
});

test("installs what is missing as root, without questions and services", async () => {
    asUser(0);
    const install = `/bin/ln -sf /bin/true ${bin}/redis-server`;
    program("apt-get", `echo "$DEBIAN_FRONTEND $RUNLEVEL $@" >> ${bin}/calls; [ "$1" = update ] || ${install}`);
    await ensureSystemPackages(["redis-server"]);
    expect(readFileSync(path.join(bin, "calls"), "utf8")).toBe(
        "noninteractive 1 update\nnoninteractive 1 install -y --no-install-recommends redis-server\n",
    );
    await ensureSystemPackages(["redis-server"]);
    expect(readFileSync(path.join(bin, "calls"), "utf8").split("\n")).toHaveLength(3);
});

test("says what apt-get said when it fails, and what is missing when it brings nothing", async () => {
    asUser(0);
    program("apt-get", "echo E: no network >&2; exit 100");
    await expect(ensureSystemPackages(["redis-server"])).rejects.toThrow("apt-get update ended with 100:\nE: no network");
    program("apt-get", "exit 0");
    await expect(ensureSystemPackages(["redis-server"])).rejects.toThrow(/ran, but these are still missing: redis-server/);
});

test("a Python that is too old or cannot make environments counts as missing", async () => {
    asUser(1000);
    program("python3", "exit 1");
    await expect(ensureSystemPackages(["python3-venv"])).rejects.toThrow(MissingPackagesError);
    program("python3", "exit 0");
    await ensureSystemPackages(["python3-venv"]);
});

test("finds programs on the PATH, and says where it looked", () => {
    program("redis-server", "exit 0");
    expect(findBinary("redis-server")).toBe(path.join(bin, "redis-server"));
    expect(() => findBinary("no-such-server")).toThrow(/no-such-server is not installed; looked on the PATH and in .*\/usr\/sbin/);
});
