import type { Keys } from "./keys";

/** What the host's process is told, in a file that only its user can read: keys have no place among the arguments or the app settings. */
export interface WorkerOptions {
    readonly packageDir: string;
    readonly keys: Keys;
    /** Port to listen on if it is free. */
    readonly port: number;
    /** File that the process writes its address to once it answers. */
    readonly urlFile: string;
}
