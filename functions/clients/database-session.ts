import type { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import type { Connection, PoolConnection, ResultSetHeader } from "mysql2/promise";
import { DatabaseError } from "./database-errors";

/** One connection, with its session's temporary tables and transaction. Methods fail with a DatabaseError. */
export interface Session {
    /** Runs one statement; `?` takes values, an array of arrays as rows. */
    run(sql: string, values?: readonly unknown[]): Promise<Written>;
    /** The rows of a query, each as an array of its columns, as the server sends them: any number. */
    rows(sql: string, values?: readonly unknown[]): AsyncIterable<readonly unknown[]>;
    /**
     * Runs a `LOAD DATA LOCAL INFILE '<localData>' ...` whose file is `content`.
     *
     * @throws LocalDataRefusedError where the server does not allow LOCAL; nothing was sent, and the session goes on.
     * @throws DatabaseError when it did not take exactly `rows` rows, as they are.
     */
    loadLocal(sql: string, content: Buffer, rows: number): Promise<void>;
    /** Runs `work` in one transaction: committed when it ends, rolled back when it throws. */
    transaction<T>(work: () => Promise<T>): Promise<T>;
}

/** What a statement did. */
export interface Written {
    /** A row that was inserted counts once; one that `ON DUPLICATE KEY UPDATE` changed twice, and one that it left as it was not at all. */
    readonly affectedRows: number;
    /** The server's words, such as `Records: 3  Duplicates: 2  Warnings: 0` after `INSERT ... SELECT`, in its language. */
    readonly info: string;
}

/** The file's name in statements for `loadLocal`: there is no such file, the content is what the caller gives. */
export const localData = "player-predictions";

/** The server, or its parameter `local_infile`, does not allow LOAD DATA LOCAL. */
export class LocalDataRefusedError extends Error {
    override readonly name = "LocalDataRefusedError";
}

/**
 * `local_infile` is off: MySQL up to 5.7 and MariaDB before 10.5 say 1148 (ER_NOT_ALLOWED_COMMAND), MySQL 8 says 3948
 * (ER_CLIENT_LOCAL_FILES_DISABLED), MariaDB since then 4166 (ER_LOAD_INFILE_CAPABILITY_DISABLED).
 */
const localDataRefused = new Set<number | undefined>([1148, 3948, 4166]);

/**
 * Longest wait for one statement, in milliseconds: the merge of a large file on a small instance. A link that is dead is found out far
 * sooner, by TCP's keep-alive.
 */
const statementTimeoutMs = 20 * 60_000;
/** Bytes of a packet of local data; a server may take no more than 1 MiB in one (`max_allowed_packet`). */
const packetBytes = 256 * 1024;

/** @param place of the database, for errors */
export function sessionOf(connection: PoolConnection, place: string): Session {
    async function failing<T>(action: string, run: () => Promise<T>): Promise<T> {
        try {
            return await run();
        } catch (error) {
            throw new DatabaseError(`${action} ${place}`, error);
        }
    }

    const shown = (sql: string): string => `"${sql.slice(0, 60).trim()}..." failed in`;

    return {
        async run(sql, values = []) {
            const [result] = await failing(shown(sql), () => connection.query<ResultSetHeader>({ sql, values: [...values], timeout: statementTimeoutMs }));
            return result;
        },

        async *rows(sql, values = []) {
            const below = callbackConnection(connection);
            let stream: Readable | undefined;
            let loss: Error | undefined;
            // The driver tells of a lost connection those commands that have a callback. One that streams would wait for the timeout.
            const onLost = (error: Error): void => {
                loss = error;
                stream?.destroy(error);
            };
            below.on("error", onLost);
            try {
                stream = below.query({ sql, values: [...values], rowsAsArray: true, timeout: statementTimeoutMs }).stream({ highWaterMark: 1_000 });
                if (loss !== undefined) {
                    stream.destroy(loss);
                }
                for await (const row of stream as AsyncIterable<readonly unknown[]>) {
                    yield row;
                }
            } catch (error) {
                throw new DatabaseError(`${shown(sql)} ${place}`, error);
            } finally {
                below.off("error", onLost);
            }
        },

        async loadLocal(sql, content, rows) {
            try {
                const [result] = await failing(shown(sql), () =>
                    connection.query<ResultSetHeader>({
                        sql,
                        timeout: statementTimeoutMs,
                        infileStreamFactory: (name: string) => contentFor(name, content),
                    }),
                );
                // With LOCAL the server takes what it can and warns about the rest, even in strict mode.
                if (result.affectedRows !== rows || result.warningStatus !== 0) {
                    const reason = `took ${result.affectedRows} of ${rows} rows with ${result.warningStatus} warnings`;
                    throw new DatabaseError(`${shown(sql)} ${place}`, new Error(reason));
                }
            } catch (error) {
                if (error instanceof DatabaseError && localDataRefused.has(error.errno)) {
                    throw new LocalDataRefusedError(error.message, { cause: error });
                }
                throw error;
            }
        },

        async transaction(work) {
            await failing("could not begin in", () => connection.beginTransaction());
            const result = await work();
            await failing("could not commit in", () => connection.commit());
            return result;
        },
    };
}

/** The content, for a server that asks for the file of the statement: one that asks for another is after files of ours. */
function contentFor(name: string, content: Buffer): Readable {
    if (name !== localData) {
        const error = new Error(`the server asked for the file ${JSON.stringify(name)} instead of ${JSON.stringify(localData)}`);
        return new Readable({ read: () => undefined }).destroy(error);
    }
    function* packets(): Generator<Buffer> {
        for (let at = 0; at < content.length; at += packetBytes) {
            yield content.subarray(at, at + packetBytes);
        }
    }
    return Readable.from(packets(), { objectMode: false, highWaterMark: packetBytes });
}

/** The driver's connection below its promises: only that one gives rows in a stream. */
function callbackConnection(connection: Connection): EventEmitter & { query(options: object): { stream(options: object): Readable } } {
    return (connection as unknown as { connection: ReturnType<typeof callbackConnection> }).connection;
}
