import { createHash } from "node:crypto";
import { type Database, DatabaseError, type Session } from "../clients/database";
import type { FingerprintedPrediction } from "../prediction";

/** Ids differ by case and accent: a binary collation, as player ids are nobody's words. */
const playersTable = `CREATE TABLE IF NOT EXISTS player_predictions (
    player_id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
    churn_label BOOLEAN NOT NULL,
    churn_probability DECIMAL(7,6) NOT NULL,
    purchase_label BOOLEAN NOT NULL,
    purchase_probability DECIMAL(7,6) NOT NULL,
    segment_id SMALLINT UNSIGNED NOT NULL,
    segment_name VARCHAR(80) NOT NULL,
    model_version VARCHAR(17) NOT NULL,
    scored_at DATETIME(6) NOT NULL COMMENT 'UTC'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;

/** File and ETag together are too long for an index (3,072 bytes): their hash is the key. */
const loadsTable = `CREATE TABLE IF NOT EXISTS prediction_loads (
    file_etag_hash BINARY(32) NOT NULL PRIMARY KEY COMMENT 'SHA-256 of file, line feed, etag',
    file VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    etag VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    \`rows\` INT UNSIGNED NOT NULL,
    rejected INT UNSIGNED NOT NULL,
    loaded_at DATETIME(6) NOT NULL COMMENT 'UTC'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;

const mergeColumns = [
    "churn_label",
    "churn_probability",
    "purchase_label",
    "purchase_probability",
    "segment_id",
    "segment_name",
    "model_version",
] as const;

/**
 * The newest score wins. Assignments run from left to right and see the ones before them, so `scored_at`, which all others compare
 * with, comes last. `VALUES(...)` is the form that MySQL 8 and MariaDB share.
 */
const merge = `INSERT INTO player_predictions (player_id, ${mergeColumns.join(", ")}, scored_at) VALUES ? ON DUPLICATE KEY UPDATE
${mergeColumns.map((column) => `    ${column} = IF(VALUES(scored_at) > scored_at, VALUES(${column}), ${column}),`).join("\n")}
    scored_at = GREATEST(scored_at, VALUES(scored_at))`;

/** One version of a file. */
export interface FileVersion {
    readonly file: string;
    readonly etag: string;
}

/** Rows that were loaded and that were set aside. */
export interface LoadCounts {
    readonly rows: number;
    readonly rejected: number;
}

/**
 * Loads a file exactly once: its rows and its ledger row are one transaction. The ledger row comes first, so that a second delivery
 * of the same file waits for the first one's end instead of doing the work twice.
 *
 * @param work puts the file's rows in, by `mergePredictions`.
 * @returns what `work` gives, or undefined when the file is in the ledger already.
 */
export async function loadOnce(
    database: Database,
    version: FileVersion,
    now: () => Date,
    work: (session: Session) => Promise<LoadCounts>,
): Promise<LoadCounts | undefined> {
    const key = createHash("sha256").update(`${version.file}\n${version.etag}`).digest();
    return withTables(database, () =>
        database.transaction(async (session) => {
            const entered = await enter(session, key, version, now());
            if (!entered) {
                return undefined;
            }
            const counts = await work(session);
            await session.run("UPDATE prediction_loads SET `rows` = ?, rejected = ?, loaded_at = ? WHERE file_etag_hash = ?", [
                counts.rows,
                counts.rejected,
                now(),
                key,
            ]);
            return counts;
        }),
    );
}

/** Puts predictions in; a player's stored prediction that is as new or newer stays. */
export async function mergePredictions(session: Session, predictions: readonly FingerprintedPrediction[]): Promise<void> {
    if (predictions.length === 0) {
        return;
    }
    const rows = predictions.map(({ playerId, churn, purchase, segment, modelVersion, scoredAt }) => [
        playerId,
        churn.label,
        churn.probability,
        purchase.label,
        purchase.probability,
        segment.id,
        segment.name,
        modelVersion,
        new Date(scoredAt),
    ]);
    await session.run(merge, [rows]);
}

async function enter(session: Session, key: Buffer, { file, etag }: FileVersion, at: Date): Promise<boolean> {
    try {
        const row = [key, file, etag, 0, 0, at];
        await session.run("INSERT INTO prediction_loads (file_etag_hash, file, etag, `rows`, rejected, loaded_at) VALUES (?)", [row]);
        return true;
    } catch (error) {
        if (error instanceof DatabaseError && error.code === "ER_DUP_ENTRY") {
            return false;
        }
        throw error;
    }
}

/** Makes the tables when a statement missed one: where they exist, the user needs no right to create. */
async function withTables<T>(database: Database, work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        if (!(error instanceof DatabaseError && error.code === "ER_NO_SUCH_TABLE")) {
            throw error;
        }
        await database.run(playersTable);
        await database.run(loadsTable);
        return await work();
    }
}
