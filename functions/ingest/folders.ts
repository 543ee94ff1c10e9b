import type { Lake } from "../clients/lake";
import { folderOf, markerOf } from "../clients/lake-paths";
import { containers } from "../contracts";

interface FolderState {
    /** Copies that have not ended. */
    pending: number;
    /** Whether all its objects were seen. */
    passed: boolean;
    /** Whether every object that was seen has arrived. */
    whole: boolean;
    /** Its marker has been taken away. */
    opened: Promise<void> | undefined;
}

/**
 * The folders of a run. The rule that makes a killed run harmless: a folder has its marker exactly while its content is complete.
 * The marker goes before the first change and comes back after the last, so a folder that a run left half-done shows it by lacking
 * the marker, and the next run needs no other memory.
 *
 * A listing in order shows a folder's objects between those of no other folder but its own subfolders: once it is past them, the folder is
 * marked as soon as its copies have ended, and forgotten.
 */
export class Folders {
    readonly #states = new Map<string, FolderState>();
    /** Those that something of did not arrive: should a listing out of order come back to one, it is still not whole. A run ends after so many failures. */
    readonly #failed = new Set<string>();

    /** @param onMarked a folder got its marker */
    constructor(
        private readonly lake: Lake,
        private readonly signal: AbortSignal,
        private readonly onMarked: (folder: string) => void,
    ) {}

    /** An object of the listing is about to be brought. To be called in the listing's order. */
    see(key: string): void {
        const folder = folderOf(key);
        const state = this.#states.get(folder) ?? { pending: 0, passed: false, whole: !this.#failed.has(folder), opened: undefined };
        state.pending += 1;
        this.#states.set(folder, state);
    }

    /** Must be awaited before something is written into the key's folder. */
    async open(key: string): Promise<void> {
        const state = this.#stateOf(key);
        state.opened ??= this.lake.remove(containers.logs, markerOf(folderOf(key)), this.signal);
        try {
            await state.opened;
        } catch (error) {
            // Of this object alone: the folder's next one tries again.
            state.opened = undefined;
            throw error;
        }
    }

    /** The object has arrived, or was there already, or not. The promise is for the marker, if it was the last to wait for. */
    async settle(key: string, arrived: boolean): Promise<void> {
        const folder = folderOf(key);
        const state = this.#stateOf(key);
        state.pending -= 1;
        if (!arrived) {
            state.whole = false;
            this.#failed.add(folder);
        }
        await this.#markIfDone(folder, state);
    }

    /** The listing, which comes in order, is past every folder that this key is neither in nor below; without a key, past all. */
    async pass(key?: string): Promise<void> {
        // Told apart at once: while the markers are written, folders are seen that come after this key.
        const passed = [...this.#states].filter(([folder]) => key === undefined || (folder !== "" && !key.startsWith(`${folder}/`)));
        passed.forEach(([, state]) => (state.passed = true));
        for (const [folder, state] of passed) {
            await this.#markIfDone(folder, state);
        }
    }

    async #markIfDone(folder: string, state: FolderState): Promise<void> {
        if (!state.passed || state.pending > 0 || this.#states.get(folder) !== state) {
            return;
        }
        this.#states.delete(folder);
        if (!state.whole || this.signal.aborted) {
            return;
        }
        const marker = markerOf(folder);
        if (state.opened !== undefined || (await this.lake.find(containers.logs, marker, this.signal)) === undefined) {
            await this.lake.writeMarker(containers.logs, marker, this.signal);
            this.onMarked(folder);
        }
    }

    #stateOf(key: string): FolderState {
        return this.#states.get(folderOf(key)) as FolderState;
    }
}
