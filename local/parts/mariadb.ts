import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import mysql from "mysql2/promise";
import { listens } from "./processes";
import { loopback, onFreePorts } from "./ports";
import { findBinary } from "./system";
import type { Process, Workshop } from "./workshop";

export interface MariaDbOptions {
    readonly database: string;
    /** May do with the database's data and tables what an application does, over TLS alone, and nothing outside of it. */
    readonly user: string;
    readonly password: string;
    /** Options of the server that differ from the part's own, such as `--local-infile=OFF`. */
    readonly serverOptions?: readonly string[];
}

export interface MariaDbPart extends MariaDbOptions {
    readonly host: string;
    readonly port: number;
    /** Where this process's user comes in as the administrator. */
    readonly socketPath: string;
    readonly process: Process;
}

/** The data directory could not be made. */
export class MariaDbError extends Error {
    override readonly name = "MariaDbError";
}

/** Same on every start and while the data directory is made: InnoDB keeps the size of its log. */
const storage = ["--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M"];

/** MySQL 8's default, which is that of RDS: stricter than MariaDB's own. */
const sqlMode = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

const privileges = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, CREATE TEMPORARY TABLES";

/** Starts a MariaDB with this database and user in it; what is committed survives its end, a kill among them. */
export async function startMariaDb(workshop: Workshop, options: MariaDbOptions): Promise<MariaDbPart> {
    const dir = path.join(workshop.dir, "mariadb");
    const dataDir = path.join(dir, "data");
    // Servers that share one delete each other's temporary tables when they start.
    const tmpDir = path.join(dir, "tmp");
    mkdirSync(tmpDir, { recursive: true });
    if (!existsSync(dataDir)) {
        await install(workshop, dir, dataDir);
    }
    const socketPath = socketIn(workshop, dir);
    return onFreePorts(workshop, "mariadb", 1, async (ports) => {
        const [port] = ports as [number];
        const asAdmin = async (use: (connection: mysql.Connection) => Promise<void>): Promise<void> => {
            const connection = await mysql.createConnection({ socketPath, user: os.userInfo().username });
            try {
                await use(connection);
            } finally {
                await connection.end();
            }
        };
        const process = await workshop.spawn({
            name: "mariadb",
            command: findBinary("mariadbd"),
            args: [
                "--no-defaults",
                ...asUser(),
                `--datadir=${dataDir}`,
                `--tmpdir=${tmpDir}`,
                `--socket=${socketPath}`,
                `--pid-file=${path.join(dir, "mariadb.pid")}`,
                `--bind-address=${loopback}`,
                `--port=${port}`,
                "--skip-name-resolve",
                `--ssl-cert=${workshop.certificate.certFile}`,
                `--ssl-key=${workshop.certificate.keyFile}`,
                "--character-set-server=utf8mb4",
                "--default-time-zone=+00:00",
                `--sql-mode=${sqlMode}`,
                "--local-infile=ON",
                ...storage,
                ...(options.serverOptions ?? []),
            ],
            ready: async (pid) => {
                await asAdmin((connection) => connection.ping());
                return listens(pid, port);
            },
        });
        await asAdmin((connection) => grant(connection, options));
        return { ...options, host: loopback, port, socketPath, process };
    });
}

/** Makes the system tables beside the place of the data directory and moves them in whole: a kill meanwhile leaves nothing half made. */
async function install(workshop: Workshop, dir: string, dataDir: string): Promise<void> {
    const unfinished = path.join(dir, "data.new");
    rmSync(unfinished, { recursive: true, force: true });
    const installation = await workshop.spawn({
        name: "mariadb-install-db",
        command: findBinary("mariadb-install-db"),
        args: [
            "--no-defaults",
            ...asUser(),
            // Relative: the script does not take blanks in the folder's name.
            "--datadir=./data.new",
            "--skip-test-db",
            "--skip-name-resolve",
            "--auth-root-authentication-method=socket",
            `--auth-root-socket-user=${os.userInfo().username}`,
            ...storage,
        ],
        cwd: dir,
        ready: () => Promise.resolve(true),
    });
    const code = await installation.exited;
    if (code !== 0) {
        throw new MariaDbError(`mariadb-install-db ended with ${code ?? "a signal"}; see ${installation.logFile}`);
    }
    renameSync(unfinished, dataDir);
}

async function grant(connection: mysql.Connection, { database, user, password }: MariaDbOptions): Promise<void> {
    await connection.query("CREATE DATABASE IF NOT EXISTS ?? CHARACTER SET utf8mb4", [database]);
    await connection.query("CREATE USER IF NOT EXISTS ?@'%'", [user]);
    await connection.query("ALTER USER ?@'%' IDENTIFIED BY ? REQUIRE SSL", [user, password]);
    // In a grant `_` and `%` of a database's name are wildcards.
    await connection.query(`GRANT ${privileges} ON ??.* TO ?@'%'`, [database.replace(/[_%]/g, "\\$&"), user]);
}

/** The server refuses root unless it is asked for by name. */
function asUser(): string[] {
    return process.getuid?.() === 0 ? ["--user=root"] : [];
}

/** Path of the server's socket. Linux takes 107 bytes of one (https://man7.org/linux/man-pages/man7/unix.7.html): a longer goes to the temporary folder. */
function socketIn(workshop: Workshop, dir: string): string {
    const inside = path.join(dir, "mariadb.sock");
    if (Buffer.byteLength(inside) <= 107) {
        return inside;
    }
    const short = path.join(os.tmpdir(), `mariadb-${createHash("sha256").update(dir).digest("hex").slice(0, 12)}`);
    mkdirSync(short, { recursive: true, mode: 0o700 });
    workshop.onStop(() => Promise.resolve(rmSync(short, { recursive: true, force: true })));
    return path.join(short, "mariadb.sock");
}
