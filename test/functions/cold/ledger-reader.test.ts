import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLedger } from "../../../functions/batches/ledger";
import type { Database } from "../../../functions/clients/database";
import { DatabaseError } from "../../../functions/clients/database-errors";
import { keyOf } from "../../../functions/load/ledger";
import { startMariaDb } from "../../../local/parts/mariadb";
import { openWorkshop, type Workshop } from "../../../local/parts/workshop";
import { databaseOf } from "./database-of";

let workshop: Workshop;
let database: Database;
beforeAll(async () => {
    workshop = await openWorkshop(await mkdtemp(join(tmpdir(), "ledger-")));
    const server = await startMariaDb(workshop, { database: "game", user: "predictions", password: "a password" });
    database = databaseOf(server);
});
afterAll(async () => {
    await database.close();
    await workshop.stop();
    await rm(workshop.dir, { recursive: true, force: true });
});

test("the ledger tells of the files that were loaded, in the version that is asked for", async () => {
    const ledger = createLedger(database);
    const file = "players/dt=2026-01-31/0123/파일.csv";
    const asked = [{ file, etag: "0x2" }, { file: "another.csv", etag: "0x1" }];
    // Before the first load there is no table.
    expect(await ledger.rowsOf(asked)).toEqual(new Map());
    await database.session(async (session) => {
        await session.run("CREATE TABLE prediction_loads (file_etag_hash BINARY(32) NOT NULL PRIMARY KEY, `rows` INT UNSIGNED NOT NULL)");
        await session.run("INSERT INTO prediction_loads VALUES (?, 7), (?, 9)", [keyOf({ file, etag: "0x2" }), keyOf({ file: "another.csv", etag: "0x9" })]);
    });
    expect(await ledger.rowsOf(asked)).toEqual(new Map([[file, 7]]));
    expect(await ledger.rowsOf([])).toEqual(new Map());
});

test("the ledger of a database that refuses gives the database's error", async () => {
    await database.session((session) => session.run("DROP TABLE IF EXISTS prediction_loads"));
    await database.session((session) => session.run("CREATE TABLE prediction_loads (another INT)"));
    await expect(createLedger(database).rowsOf([{ file: "a.csv", etag: "0x1" }])).rejects.toBeInstanceOf(DatabaseError);
});
