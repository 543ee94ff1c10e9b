import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startMariaDb, type MariaDbPart } from "../../local/parts/mariadb";
import { openWorkshop, type Workshop } from "../../local/parts/workshop";
import { temporaryDir, temporaryWorkshop } from "./temporary";

const options = { database: "game_data", user: "predictions", password: "it's secret" };
const dir = mkdtempSync(path.join(tmpdir(), "player-predictions-parts-"));
let workshop: Workshop;
let part: MariaDbPart;

beforeAll(async () => {
    workshop = await openWorkshop(dir);
    part = await startMariaDb(workshop, options);
});

afterAll(async () => {
    await workshop.stop();
    rmSync(dir, { recursive: true });
});

async function connect({ host, port, user, password, database }: MariaDbPart, changes: mysql.ConnectionOptions = {}): Promise<mysql.Connection> {
    const connection = await mysql.createConnection({ host, port, user, password, database, ssl: { verifyIdentity: true }, ...changes });
    onTestFinished(() => connection.destroy());
    return connection;
}

test("the user has its database over TLS: tables, rows, files; nothing else", async () => {
    const connection = await connect(part);
    const [[cipher]] = await connection.query<mysql.RowDataPacket[]>("SHOW STATUS LIKE 'Ssl_version'");
    expect(cipher?.Value).toMatch(/^TLSv1\.[23]$/);

    await connection.query("CREATE TABLE players (id VARCHAR(64) PRIMARY KEY, name VARCHAR(64))");
    await connection.query({
        sql: "LOAD DATA LOCAL INFILE 'stream' INTO TABLE players CHARACTER SET utf8mb4",
        infileStreamFactory: () => Readable.from([Buffer.from("1\t김민지 🎮\n")]),
    });
    const [rows] = await connection.query<mysql.RowDataPacket[]>("SELECT * FROM players");
    expect(rows).toEqual([{ id: "1", name: "김민지 🎮" }]);

    // The first is a database that the name would match as a pattern.
    for (const statement of ["CREATE DATABASE gameXdata", "SELECT * FROM mysql.user", "GRANT SELECT ON game_data.* TO 'x'@'%'"]) {
        await expect(connection.query(statement)).rejects.toThrow(/denied|not allowed/i);
    }
});

test("no way in without TLS, with another password, or as root", async () => {
    await expect(connect(part, { ssl: undefined })).rejects.toThrow(/denied/);
    await expect(connect(part, { password: "other" })).rejects.toThrow(/denied/);
    await expect(connect(part, { user: "root", password: "", database: undefined })).rejects.toThrow(/denied|not allowed/);
});

test("after a kill it is there again at the same address with what was committed, under a new password", async () => {
    await (await connect(part)).query("CREATE TABLE t SELECT 1 AS id");
    process.kill(part.process.pid, "SIGKILL");
    await part.process.exited;

    const again = await startMariaDb(workshop, { ...options, password: "new" });
    expect(again.port).toBe(part.port);
    const [rows] = await (await connect(again)).query("SELECT * FROM t");
    expect(rows).toEqual([{ id: 1 }]);
    await expect(connect(again, { password: options.password })).rejects.toThrow(/denied/);
});

test("works in a folder with blanks in its path and too long for a socket", async () => {
    const long = path.join(temporaryDir(), "a folder with a long name ".repeat(4).trim(), "that goes on");
    mkdirSync(long, { recursive: true });
    const other = await startMariaDb(await temporaryWorkshop(long), options);
    await (await connect(other)).ping();
});
