import { localData, LocalDataRefusedError, type Session } from "../clients/database-session";
import { tableColumns } from "./columns";
import { remembering } from "./remembering";
import type { PredictionRow } from "./row";
import { RowSet } from "./row-set";
import { predictionDefinitions } from "./tables";

const create = `CREATE TEMPORARY TABLE staged_predictions (
    row_number_in_file INT UNSIGNED NOT NULL,
${predictionDefinitions}
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;

const stagedColumns = ["row_number_in_file", ...tableColumns].join(", ");

const loadRows =
    `LOAD DATA LOCAL INFILE '${localData}' INTO TABLE staged_predictions CHARACTER SET utf8mb4 ` +
    `FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' (${stagedColumns})`;
const insertRows = `INSERT INTO staged_predictions (${stagedColumns}) VALUES ?`;

const [keyColumn, ...others] = tableColumns;
const merged = others.filter((column) => column !== "scored_at");

/**
 * The newest score wins; of rows as new as each other the first. Assignments run from left to right and see the ones before them, so
 * `scored_at`, which all others compare with, comes last. `VALUES(...)` is the form that MySQL 8 and MariaDB share.
 *
 * In the order of the primary key, so that loads of the same players wait for each other instead of ending in a deadlock, and a table
 * that is larger than the server's memory is gone through once.
 */
const merge = `INSERT INTO player_predictions (${tableColumns.join(", ")})
SELECT ${tableColumns.join(", ")} FROM staged_predictions ORDER BY ${keyColumn}, row_number_in_file
ON DUPLICATE KEY UPDATE
${merged.map((column) => `    ${column} = IF(VALUES(scored_at) > player_predictions.scored_at, VALUES(${column}), player_predictions.${column}),`).join("\n")}
    scored_at = GREATEST(player_predictions.scored_at, VALUES(scored_at))`;

const outdated = `SELECT staged.row_number_in_file FROM staged_predictions staged JOIN player_predictions stored USING (${keyColumn})
WHERE stored.scored_at > staged.scored_at`;

/** Bytes of rows that are sent at a time, and what one batch of rows adds: on its way to the server each is in memory several times. */
const blockBytes = 2 * 1024 * 1024;
/** Rows of an INSERT: far below what a server takes in one statement (`max_allowed_packet`). */
const insertedRows = 1_000;

/** How rows come into the staging table. */
export type StagingWay = "LOAD DATA LOCAL" | "INSERT";

/**
 * The rows of one file in a temporary table of the session. They are sent in blocks, the next of which is made while the server takes the one
 * before: at most two are in memory.
 */
export class Staging {
    #count = 0;
    #block: Buffer[] = [];
    #blockBytes = 0;
    #blockRows = 0;
    #sending: Promise<void> = Promise.resolve();
    #way: StagingWay = "LOAD DATA LOCAL";
    readonly #lineOf = lineWriter();

    private constructor(private readonly session: Session) {}

    /** Makes the table; to be called outside of a transaction, and `drop` at the end. */
    static async create(session: Session): Promise<Staging> {
        await session.run(create);
        return new Staging(session);
    }

    /** Rows that were added. */
    get count(): number {
        return this.#count;
    }

    get way(): StagingWay {
        return this.#way;
    }

    /** Adds rows of the file, in its order. */
    async add(rows: readonly PredictionRow[]): Promise<void> {
        let text = "";
        for (const row of rows) {
            text += this.#lineOf(this.#count, row);
            this.#count += 1;
        }
        const bytes = Buffer.from(text);
        this.#block.push(bytes);
        this.#blockBytes += bytes.length;
        this.#blockRows += rows.length;
        if (this.#blockBytes >= blockBytes) {
            await this.#send();
        }
    }

    /** After the last row. */
    async finish(): Promise<void> {
        await this.#send();
        await this.#sending;
    }

    /**
     * Brings the rows into `player_predictions`; a player's stored prediction that is as new or newer stays.
     *
     * @returns whether none stayed: every row was taken
     */
    async merge(): Promise<boolean> {
        const { affectedRows, info } = await this.session.run(merge);
        const [records, replaced] = (info.match(/\d+/gu) ?? []).map(Number);
        return records !== undefined && replaced !== undefined && records + replaced === affectedRows;
    }

    /** Numbers, from 0, of the rows that are older than what `player_predictions` has of their players. */
    async outdated(): Promise<RowSet> {
        const found = new RowSet();
        for await (const [row] of this.session.rows(outdated)) {
            found.add(row as number);
        }
        return found;
    }

    async drop(): Promise<void> {
        await this.session.run("DROP TEMPORARY TABLE staged_predictions");
    }

    async #send(): Promise<void> {
        await this.#sending;
        if (this.#blockRows === 0) {
            return;
        }
        this.#sending = this.#sendRows(Buffer.concat(this.#block), this.#blockRows);
        [this.#block, this.#blockBytes, this.#blockRows] = [[], 0, 0];
        // Whoever waits for it next gets the error; until then it is no unhandled one.
        this.#sending.catch(() => undefined);
    }

    async #sendRows(block: Buffer, rows: number): Promise<void> {
        if (this.#way === "LOAD DATA LOCAL") {
            try {
                await this.session.loadLocal(loadRows, block, rows);
                return;
            } catch (error) {
                if (!(error instanceof LocalDataRefusedError)) {
                    throw error;
                }
                this.#way = "INSERT";
            }
        }
        const lines = block.toString().split("\n");
        for (let first = 0; first < rows; first += insertedRows) {
            const fields = lines.slice(first, Math.min(first + insertedRows, rows)).map((line) => line.split("\t").map(unescaped));
            await this.session.run(insertRows, [fields]);
        }
    }
}

/** Gives rows as LOAD DATA takes them, each with its number. */
function lineWriter(): (number: number, row: PredictionRow) => string {
    const [name, version, time] = [remembering(escaped), remembering(escaped), remembering(withoutZone)];
    return (number, [id = "", churn, churnProbability, purchase, purchaseProbability, segment, segmentName = "", modelVersion = "", scoredAt = ""]) =>
        `${number}\t${escaped(id)}\t${churn}\t${churnProbability}\t${purchase}\t${purchaseProbability}\t` +
        `${segment}\t${name(segmentName)}\t${version(modelVersion)}\t${time(scoredAt)}\n`;
}

/** A time as the database takes it: the zone is the session's. */
function withoutZone(time: string): string {
    return `${time.slice(0, 10)} ${time.slice(11, 23)}`;
}

const special = /[\\\t\n\r\0]/u;
const everySpecial = new RegExp(special, "gu");
const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0" };
const unescapes = Object.fromEntries(Object.entries(escapes).map(([character, escape]) => [escape, character]));

function escaped(text: string): string {
    return special.test(text) ? text.replace(everySpecial, (character) => escapes[character] as string) : text;
}

function unescaped(text: string): string {
    return text.includes("\\") ? text.replace(/\\./gu, (escape) => unescapes[escape] as string) : text;
}
