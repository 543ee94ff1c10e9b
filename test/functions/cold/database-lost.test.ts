import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../../functions/clients/database";
import type { DatabaseError } from "../../../functions/clients/database-errors";
import type { Session } from "../../../functions/clients/database-session";
import { startMariaDb } from "../../../local/parts/mariadb";
import { openWorkshop, type Workshop } from "../../../local/parts/workshop";
import { TcpProxy } from "../hot/tcp-proxy";
import { databaseOf } from "./database-of";

describe("a connection that is lost", () => {
    let workshop: Workshop;
    let proxy: TcpProxy;
    let database: Database;
    beforeAll(async () => {
        workshop = await openWorkshop(await mkdtemp(join(tmpdir(), "database-lost-")));
        const server = await startMariaDb(workshop, { database: "game", user: "predictions", password: "a password" });
        proxy = await TcpProxy.start(server);
        database = databaseOf(server, { DATABASE_PORT: proxy.port });
    });
    afterAll(async () => {
        await database.close();
        await proxy.stop();
        await workshop.stop();
        await rm(workshop.dir, { recursive: true, force: true });
    });

    const lost = expect.objectContaining({ name: "DatabaseError", retryable: true }) as DatabaseError;
    const all = async (session: Session, sql: string, each: () => void = () => undefined) => {
        const rows: unknown[] = [];
        for await (const row of session.rows(sql)) {
            rows.push(row);
            each();
        }
        return rows;
    };

    const losses: readonly (readonly [string, (session: Session) => Promise<unknown>])[] = [
        ["before the first row", (session: Session) => Promise.all([all(session, "SELECT SLEEP(50)"), sleep(200).then(() => proxy.reset())])],
        ["between rows", (session: Session) => all(session, "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000", () => proxy.reset())],
        ["before the query", async (session: Session) => {
            proxy.reset();
            await sleep(200);
            return all(session, "SELECT 1");
        }],
        ["during a statement", (session: Session) => Promise.all([session.run("DO SLEEP(50)"), sleep(200).then(() => proxy.reset())])],
        ["during a transaction", (session: Session) =>
            session.transaction(async () => {
                proxy.reset();
                await sleep(200);
            })],
    ];
    test.each(losses)("%s fails the work at once, and the next has another", async (_when, work) => {
        await expect(database.session(work)).rejects.toEqual(lost);
        expect(await database.session((session) => all(session, "SELECT 7"))).toEqual([[7]]);
    });
});
