import { createRequire } from "node:module";

/**
 * Puts off the loading of a CommonJS module, whoever asks for it, until something of it is used.
 *
 * @param file its path; whoever has loaded it already keeps it
 */
export function putOff(file: string): void {
    const load = createRequire(file);
    if (load.cache[file] !== undefined) {
        return;
    }
    let exported: Record<string | symbol, unknown> | undefined;
    const real = (): Record<string | symbol, unknown> => {
        if (exported === undefined) {
            delete load.cache[file];
            exported = load(file) as Record<string | symbol, unknown>;
        }
        return exported;
    };
    const exports = new Proxy<Record<string | symbol, unknown>>(
        {},
        {
            // What is asked of each module by those who import it the way of ECMAScript; said here, it is taken as it is.
            get: (_target, key) => (key === "__esModule" ? true : real()[key]),
        },
    );
    load.cache[file] = { id: file, path: "", filename: file, loaded: true, exports, parent: null, children: [], paths: [], require: load, isPreloading: false };
}
