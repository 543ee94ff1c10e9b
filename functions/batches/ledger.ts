import type { Database } from "../clients/database";
import { DatabaseError } from "../clients/database-errors";
import { type FileVersion, keyOf } from "../load/ledger";

/** The ledger of the files that were loaded, for those who read it. */
export interface Ledger {
    /** The rows that were loaded of each file, by its name; files that were not loaded are not in it. @throws DatabaseError */
    rowsOf(files: readonly FileVersion[]): Promise<ReadonlyMap<string, number>>;
}

/** Files that a statement asks for: more than MariaDB takes as they are it would make a table of (`in_predicate_conversion_threshold`). */
const filesAQuery = 500;

const select = "SELECT LOWER(HEX(file_etag_hash)), `rows` FROM prediction_loads WHERE file_etag_hash IN (?)";

/** Reads the ledger of a database; one without the table has loaded nothing. */
export function createLedger(database: Database): Ledger {
    return {
        async rowsOf(files) {
            if (files.length === 0) {
                return new Map();
            }
            const byKey = new Map(files.map((version) => [keyOf(version).toString("hex"), version.file]));
            try {
                return await database.session(async (session) => {
                    const found = new Map<string, number>();
                    for (let first = 0; first < files.length; first += filesAQuery) {
                        const keys = files.slice(first, first + filesAQuery).map(keyOf);
                        for await (const [key, rows] of session.rows(select, [keys])) {
                            found.set(byKey.get(String(key)) ?? "", Number(rows));
                        }
                    }
                    return found;
                });
            } catch (error) {
                if (error instanceof DatabaseError && error.code === "ER_NO_SUCH_TABLE") {
                    return new Map();
                }
                throw error;
            }
        },
    };
}
