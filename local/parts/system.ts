import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { run, tail } from "./run";

/** Something of the system is missing; the message has the one line to run. */
export class MissingPackagesError extends Error {
    override readonly name = "MissingPackagesError";
}

interface SystemPackage {
    /** Packages of Debian and Ubuntu that bring it. */
    readonly packages: readonly string[];
    readonly present: () => boolean;
}

const known = {
    "redis-server": { packages: ["redis-server"], present: () => hasBinaries("redis-server") },
    // The core packages have the binaries and no service that would start; the client's has what `mariadb-install-db` calls.
    "mariadb-server": {
        packages: ["mariadb-server-core", "mariadb-client-core"],
        present: () => hasBinaries("mariadbd", "mariadb-install-db", "my_print_defaults"),
    },
    rclone: { packages: ["rclone"], present: () => hasBinaries("rclone") },
    curl: { packages: ["curl"], present: () => hasBinaries("curl") },
    chromium: { packages: ["chromium"], present: () => hasBinaries("chromium") },
    "python3-venv": { packages: ["python3", "python3-venv"], present: hasPython },
} as const satisfies Record<string, SystemPackage>;

export type SystemPackageName = keyof typeof known;

/**
 * Sees to it that these are installed. As root on Debian or Ubuntu they are, by apt-get; `RUNLEVEL=1` keeps the packages from
 * starting a service of their own where there is no systemd.
 * @throws MissingPackagesError elsewhere, and when apt-get does not bring them
 */
export async function ensureSystemPackages(names: readonly SystemPackageName[]): Promise<void> {
    const missing = names.filter((name) => !known[name].present());
    if (missing.length === 0) {
        return;
    }
    const packages = missing.flatMap((name) => known[name].packages);
    const install = ["install", "-y", "--no-install-recommends", ...packages];
    const line = `apt-get ${install.join(" ")}`;
    const aptGet = searchPath("apt-get");
    if (process.getuid?.() !== 0 || aptGet === undefined) {
        throw new MissingPackagesError(`missing on this machine: ${missing.join(", ")}. On Debian or Ubuntu run: sudo ${line}`);
    }
    console.log(`installing ${packages.join(", ")}`);
    for (const args of [["update"], install]) {
        const { exitCode, output } = await run(aptGet, args, { env: { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" } });
        if (exitCode !== 0) {
            throw new MissingPackagesError(`apt-get ${args.join(" ")} ended with ${exitCode ?? "a signal"}:\n${tail(output)}`);
        }
    }
    const still = names.filter((name) => !known[name].present());
    if (still.length > 0) {
        throw new MissingPackagesError(`${line} ran, but these are still missing: ${still.join(", ")}`);
    }
}

/** Path of a program of the system, `/usr/sbin` searched as well: it is not on the PATH of plain users. @throws MissingPackagesError */
export function findBinary(name: string): string {
    const found = searchPath(name);
    if (found === undefined) {
        throw new MissingPackagesError(`${name} is not installed; looked on the PATH and in ${systemDirs.join(", ")}`);
    }
    return found;
}

const systemDirs = ["/usr/local/sbin", "/usr/sbin"];

function searchPath(name: string): string | undefined {
    const dirs = [...(process.env.PATH ?? "").split(path.delimiter), ...systemDirs];
    return dirs.map((dir) => path.join(dir, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
    try {
        accessSync(file, constants.X_OK);
        return true;
    } catch {
        return false;
    }
}

function hasBinaries(...names: string[]): boolean {
    return names.every((name) => searchPath(name) !== undefined);
}

/** Python that the models' libraries run on, able to make environments. */
function hasPython(): boolean {
    const check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
    return hasBinaries("python3") && spawnSync("python3", ["-c", check]).status === 0;
}
