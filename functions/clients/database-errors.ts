/** The database could not be asked, or refused. */
export class DatabaseError extends Error {
    override readonly name = "DatabaseError";
    /** The server's or the driver's name of the error, such as `ER_LOCK_DEADLOCK` or `ECONNREFUSED`. */
    readonly code: string;
    /** The server's number of the error; undefined where it did not come to that. */
    readonly errno: number | undefined;
    /** Whether the whole work may succeed when it is done again. */
    readonly retryable: boolean;

    constructor(action: string, cause: unknown) {
        const { code = "UNKNOWN", errno, sqlState } = cause as { code?: string; errno?: number; sqlState?: string };
        const advice = code in adviceOf ? `; ${adviceOf[code]}` : "";
        super(`${action}: ${cause instanceof Error ? cause.message : String(cause)}${advice}`, { cause });
        this.code = code;
        this.errno = sqlState === undefined ? undefined : errno;
        // What the server says about a statement stays true, but for trouble of the moment; without its word the link is to blame.
        this.retryable = sqlState === undefined || passingErrors.has(code) || /^(08|40)/u.test(sqlState);
    }
}

/**
 * Errors of the server that another try may not meet: contention, a failover to read-only, too many connections, a shutdown. States
 * of the classes 08 (connection) and 40 (rolled back, such as a deadlock) belong to them as well.
 */
const passingErrors = new Set([
    "ER_LOCK_WAIT_TIMEOUT",
    "ER_OPTION_PREVENTS_STATEMENT",
    "ER_READ_ONLY_MODE",
    "ER_INNODB_READ_ONLY",
    "ER_CON_COUNT_ERROR",
    "ER_TOO_MANY_USER_CONNECTIONS",
    "ER_USER_LIMIT_REACHED",
    "ER_SERVER_SHUTDOWN",
    "ER_QUERY_INTERRUPTED",
    "ER_SESSION_WAS_KILLED",
    "ER_CONNECTION_KILLED",
    "ER_CLIENT_INTERACTION_TIMEOUT",
]);

/** What a person can do about an error. */
const adviceOf: Readonly<Record<string, string>> = {
    ER_DBACCESS_DENIED_ERROR: "give the user the rights on the database that the README lists",
    ER_TABLEACCESS_DENIED_ERROR: "give the user the rights on the two tables that the README lists",
    ER_ACCESS_DENIED_ERROR: "check that the user exists, as the README makes it, and the way it authenticates (databaseAuth)",
};
