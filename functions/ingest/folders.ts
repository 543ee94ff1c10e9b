import type { Lake } from "../clients/lake";
import { folderOf, markerOf } from "../clients/lake-paths";
import { containers } from "../contracts";

/**
 * The folders of a run. The rule that makes a killed run harmless: a folder has its marker exactly while its content is complete.
 * The marker goes before the first change and comes back after the last, so a folder that a run left half-done shows it by lacking
 * the marker, and the next run needs no other memory.
 */
export class Folders {
    readonly #states = new Map<string, { complete: boolean; opened: Promise<void> | undefined }>();
    readonly #lake: Lake;

    constructor(lake: Lake) {
        this.#lake = lake;
    }

    /** Takes note of a folder that has objects. */
    see(key: string): void {
        this.#stateOf(key);
    }

    /** Must be awaited before something is written into the key's folder. */
    async open(key: string): Promise<void> {
        const state = this.#stateOf(key);
        await (state.opened ??= this.#lake.remove(containers.logs, markerOf(folderOf(key))));
    }

    /** An object of the key's folder did not arrive: the folder stays without marker in this run. */
    spoil(key: string): void {
        this.#stateOf(key).complete = false;
    }

    /** Folders whose objects have all arrived and that have no marker. */
    async *ready(): AsyncGenerator<string> {
        for (const [folder, { complete, opened }] of this.#states) {
            if (complete && (opened !== undefined || (await this.#lake.find(containers.logs, markerOf(folder))) === undefined)) {
                yield folder;
            }
        }
    }

    #stateOf(key: string) {
        const folder = folderOf(key);
        const state = this.#states.get(folder) ?? { complete: true, opened: undefined };
        this.#states.set(folder, state);
        return state;
    }
}
