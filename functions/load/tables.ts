import { DatabaseError } from "../clients/database-errors";
import type { Session } from "../clients/database-session";
import { tableColumns } from "./columns";

/** Ids differ by case and accent: a binary collation, as player ids are nobody's words. */
export const predictionColumns: Readonly<Record<(typeof tableColumns)[number], string>> = {
    player_id: "VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL",
    churn_label: "BOOLEAN NOT NULL",
    churn_probability: "DECIMAL(7,6) NOT NULL",
    purchase_label: "BOOLEAN NOT NULL",
    purchase_probability: "DECIMAL(7,6) NOT NULL",
    segment_id: "SMALLINT UNSIGNED NOT NULL",
    segment_name: "VARCHAR(80) NOT NULL",
    model_version: "VARCHAR(17) NOT NULL",
    scored_at: "DATETIME(6) NOT NULL COMMENT 'UTC'",
};

/** The columns of predictions with their types, for a CREATE TABLE. */
export const predictionDefinitions = tableColumns.map((column) => `    ${column} ${predictionColumns[column]}`).join(",\n");

const playersTable = `CREATE TABLE IF NOT EXISTS player_predictions (
${predictionDefinitions},
    PRIMARY KEY (player_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;

const pendingColumn = "cache_pending BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'loaded, and not all in the cache yet'";
const pendingKey = "KEY cache_pending (cache_pending, loaded_at)";

/** File and ETag together are too long for an index (3,072 bytes): their hash is the key. */
const loadsTable = `CREATE TABLE IF NOT EXISTS prediction_loads (
    file_etag_hash BINARY(32) NOT NULL PRIMARY KEY COMMENT 'SHA-256 of file, line feed, etag',
    file VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    etag VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    \`rows\` INT UNSIGNED NOT NULL,
    rejected INT UNSIGNED NOT NULL,
    loaded_at DATETIME(6) NOT NULL COMMENT 'UTC',
    ${pendingColumn},
    ${pendingKey}
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;

/** Makes the tables, or brings them up to date, where they are not; else the user needs no right to do so. To be called outside of a transaction. */
export async function ensureTables(session: Session): Promise<void> {
    const players = await errorOf(session, "DO (SELECT 1 FROM player_predictions LIMIT 1)");
    const loads = await errorOf(session, "DO (SELECT cache_pending FROM prediction_loads LIMIT 1)");
    if (players === "ER_NO_SUCH_TABLE" || loads === "ER_NO_SUCH_TABLE") {
        await session.run(playersTable);
        await session.run(loadsTable);
    } else if (loads === "ER_BAD_FIELD_ERROR") {
        // Of a version that did not note what the cache lacks. Another load may be first.
        await errorOf(session, `ALTER TABLE prediction_loads ADD COLUMN ${pendingColumn}, ADD ${pendingKey}`);
    }
}

const expected = new Set(["ER_NO_SUCH_TABLE", "ER_BAD_FIELD_ERROR", "ER_DUP_FIELDNAME"]);

/** The code of the statement's error, if it is one that tells about the tables' state. */
async function errorOf(session: Session, sql: string): Promise<string | undefined> {
    try {
        await session.run(sql);
        return undefined;
    } catch (error) {
        if (error instanceof DatabaseError && expected.has(error.code)) {
            return error.code;
        }
        throw error;
    }
}
