/** The package cannot run: its host.json, a function's registration or a setting that a function names is wrong. */
export class PackageError extends Error {
    override readonly name = "PackageError";
}
