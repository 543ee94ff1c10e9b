import type { Lake } from "../clients/lake";
import { containers, rejectedSuffix } from "../contracts";
import type { RejectedRow } from "./predictions-file";

/**
 * The rows of one file that were set aside, as JSON Lines in a blob beside it. Written anew by each load of the file, so that a load
 * that was killed leaves nothing behind that counts twice.
 */
export class Rejects {
    #count = 0;
    readonly #path: string;
    readonly #lake: Lake;

    constructor(lake: Lake, file: string) {
        this.#lake = lake;
        this.#path = `${file}${rejectedSuffix}`;
    }

    /** How many rows were set aside so far. */
    get count(): number {
        return this.#count;
    }

    async add(rows: readonly RejectedRow[]): Promise<void> {
        if (rows.length === 0) {
            return;
        }
        if (this.#count === 0) {
            await this.#lake.createAppendable(containers.predictions, this.#path, "application/jsonl");
        }
        await this.#lake.append(containers.predictions, this.#path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
        this.#count += rows.length;
    }

    /** After the last row: a blob of an earlier version of the file must not stay when this one has no bad row. */
    async finish(): Promise<void> {
        if (this.#count === 0) {
            await this.#lake.remove(containers.predictions, this.#path);
        }
    }
}
