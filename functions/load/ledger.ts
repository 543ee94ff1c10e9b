import { createHash } from "node:crypto";
import { DatabaseError } from "../clients/database-errors";
import type { Session } from "../clients/database-session";

/** One version of a file. */
export interface FileVersion {
    /** Its blob's name in the container of the predictions. */
    readonly file: string;
    /** ETag without quotes. */
    readonly etag: string;
}

/** Rows that were loaded and that were set aside. */
export interface LoadCounts {
    readonly rows: number;
    readonly rejected: number;
}

/**
 * Enters a version into the ledger, in a transaction: another delivery of the same version waits here for the end of this one.
 *
 * @returns false when the ledger has it already
 */
export async function enter(session: Session, version: FileVersion, at: Date): Promise<boolean> {
    try {
        const row = [keyOf(version), version.file, version.etag, 0, 0, at, true];
        await session.run(
            "INSERT INTO prediction_loads (file_etag_hash, file, etag, `rows`, rejected, loaded_at, cache_pending) VALUES (?)",
            [row],
        );
        return true;
    } catch (error) {
        if (error instanceof DatabaseError && error.code === "ER_DUP_ENTRY") {
            return false;
        }
        throw error;
    }
}

/** Writes the counts of a version that was entered, in the same transaction. */
export async function complete(session: Session, version: FileVersion, { rows, rejected }: LoadCounts, at: Date): Promise<void> {
    const values = [rows, rejected, at, keyOf(version)];
    await session.run("UPDATE prediction_loads SET `rows` = ?, rejected = ?, loaded_at = ? WHERE file_etag_hash = ?", values);
}

/** Whether a version's predictions are not known to be in the cache. */
export async function isCachePending(session: Session, version: FileVersion): Promise<boolean> {
    const query = "SELECT COUNT(*) FROM prediction_loads WHERE file_etag_hash = ? AND cache_pending";
    let pending = false;
    for await (const [count] of session.rows(query, [keyOf(version)])) {
        pending = Number(count) > 0;
    }
    return pending;
}

/** Notes that a version's predictions are in the cache, or need not be. */
export async function setCached(session: Session, version: FileVersion): Promise<void> {
    await session.run("UPDATE prediction_loads SET cache_pending = FALSE WHERE file_etag_hash = ?", [keyOf(version)]);
}

/** Versions that were loaded before that time and whose predictions the cache lacks, the latest first. */
export async function cachePending(session: Session, before: Date, limit: number): Promise<FileVersion[]> {
    const found: FileVersion[] = [];
    const query = "SELECT file, etag FROM prediction_loads WHERE cache_pending AND loaded_at < ? ORDER BY loaded_at DESC LIMIT ?";
    for await (const [file, etag] of session.rows(query, [before, limit])) {
        found.push({ file: file as string, etag: etag as string });
    }
    return found;
}

/** Key of a version's row: file and ETag together are too long for an index. */
export function keyOf({ file, etag }: FileVersion): Buffer {
    return createHash("sha256").update(`${file}\n${etag}`).digest();
}
