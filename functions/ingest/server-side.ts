import type { SourceObject } from "../clients/source-bucket";

/** After so many refusals in a row of what could be read from here the service takes no source of this bucket; single ones happen (azcopy #2422). */
const maxRefusals = 5;

/** Keys that the service is known to ask the source for wrongly: with a plus (wellcomecollection/platform #4776) or a dot at their end (azcopy #957). */
const takenWrongly = /\+|\.$/u;

/** Which objects the service is asked to copy by itself; learns in the course of a run whether it does. */
export class ServerSide {
    /** Objects that it refused. */
    refusals = 0;
    #inARow = 0;

    /** @param log takes what a person wants to know of a run */
    constructor(private readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void) {}

    /** Whether the object is to be tried. An empty one has nothing that could be read in parts. */
    takes({ key, size }: SourceObject): boolean {
        return this.#inARow < maxRefusals && size > 0 && !takenWrongly.test(key);
    }

    worked(): void {
        this.#inARow = 0;
    }

    refused({ key }: SourceObject, error: Error): void {
        this.refusals += 1;
        this.log("url-refused", { key, reason: error.message });
    }

    /** What it refused came through this process. */
    refusedReadable(error: Error): void {
        this.#inARow += 1;
        if (this.#inARow === maxRefusals) {
            this.log("url-given-up", { refusals: maxRefusals, reason: error.message });
        }
    }
}
