import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { projectDir } from "../content";
import type { HandlerPackage, PackageSource } from "./package";

/** What the package in `build/` was made of. */
interface Built {
    /** Files that went into it, from the sources' folder. */
    readonly inputs: readonly string[];
    /** Of all that decided what it became. */
    readonly digest: string;
    /** SHA-256 of the zip. */
    readonly hash: string;
}

/**
 * The package of the sources as they are. Bundling takes longer than all else that a preview does, so the one in `build/` is taken where nothing has
 * changed since it was made: the contents of its inputs, the size and time of those that are installed, what is beside them (another file may be found instead), what is installed, and how
 * packages are built.
 */
export async function currentPackage(source: Partial<PackageSource> = {}): Promise<HandlerPackage> {
    const dir = source.dir ?? projectDir;
    const kept = readKept(dir, source);
    if (kept !== undefined) {
        return kept;
    }
    const started = Date.now();
    // Loaded where it is needed alone.
    const { buildPackage } = await import("./package.js");
    const { inputs, zip, hash } = await buildPackage(source);
    packageFile({ zip, hash }, dir);
    // A file that was written meanwhile may have been read before or after: nothing is claimed of it.
    if (inputs.every((file) => (statSync(path.join(dir, file), { throwIfNoEntry: false })?.mtimeMs ?? 0) < started)) {
        const built: Built = { inputs, digest: digestOf(dir, source, inputs), hash };
        writeWhole(recordFile(dir), JSON.stringify(built));
    }
    return { zip, hash };
}

/** Puts a package into `build/`, as assets of binary content come from files. @returns the file */
export function packageFile({ zip, hash }: HandlerPackage, dir: string = projectDir): string {
    const file = zipFile(dir, hash);
    if (!existsSync(file) || Buffer.compare(readFileSync(file), zip) !== 0) {
        writeWhole(file, zip);
    }
    return file;
}

function zipFile(dir: string, hash: string): string {
    return path.join(dir, "build", `handlers-${hash.slice(0, 16)}.zip`);
}

function recordFile(dir: string): string {
    return path.join(dir, "build", "handlers.json");
}

/** In one step, whatever becomes of the process: there is the whole file or none. */
function writeWhole(file: string, content: string | Uint8Array): void {
    mkdirSync(path.dirname(file), { recursive: true });
    const partial = `${file}.${process.pid}`;
    writeFileSync(partial, content);
    renameSync(partial, file);
}

/** Undefined where it has to be built: there is none, it is of other sources, or a file is not what was written. */
function readKept(dir: string, source: Partial<PackageSource>): HandlerPackage | undefined {
    try {
        const { inputs, digest, hash } = JSON.parse(readFileSync(recordFile(dir), "utf8")) as Built;
        if (digestOf(dir, source, inputs) !== digest) {
            return undefined;
        }
        const zip = readFileSync(zipFile(dir, hash));
        return createHash("sha256").update(zip).digest("hex") === hash ? { zip, hash } : undefined;
    } catch {
        return undefined;
    }
}

function digestOf(dir: string, source: Partial<PackageSource>, inputs: readonly string[]): string {
    const { entry, hostFile, lazy, assets } = source;
    const hash = createHash("sha256").update(JSON.stringify({ entry, hostFile, lazy, assets }));
    const add = (name: string, content: string | Uint8Array): void => void hash.update(`\0${name}\0${content.length}\0`).update(content);
    for (const file of [...inputs, ...manifestsOf(inputs), "node_modules/.package-lock.json"]) {
        const place = path.join(dir, file);
        add(file, isInstalled(file) ? versionOf(place) : contentOf(place));
    }
    for (const folder of foldersOf(inputs.filter((file) => !isInstalled(file)))) {
        add(folder, readdirSync(path.join(dir, folder)).sort().join("\0"));
    }
    for (const file of [path.join(__dirname, "package.ts"), require.resolve("esbuild/package.json"), require.resolve("fflate/package.json")]) {
        add(path.basename(file), readFileSync(file));
    }
    return hash.digest("hex");
}

/** They tell the bundler which file of a package is meant, and whether it may be left out. There need not be one in each folder. */
function manifestsOf(inputs: readonly string[]): string[] {
    const above = new Set(foldersOf(inputs).flatMap((folder) => folder.split("/").map((_, i, names) => names.slice(0, i + 1).join("/"))));
    return ["package.json", ...[...above].sort().map((folder) => `${folder}/package.json`)];
}

function foldersOf(files: readonly string[]): string[] {
    return [...new Set(files.map((file) => path.posix.dirname(file)))].sort();
}

function isInstalled(file: string): boolean {
    return file.split("/").includes("node_modules");
}

/** Of an installed file, which nobody writes but an installation or, by hand, an editor: reading hundreds of them would be felt by each preview. */
function versionOf(file: string): string {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? "" : `${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
}

/** Empty for a file that is not there. */
function contentOf(file: string): string | Uint8Array {
    return existsSync(file) ? readFileSync(file) : "";
}
