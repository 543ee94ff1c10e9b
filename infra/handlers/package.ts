import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { zipSync, type Zippable } from "fflate";
import { projectDir } from "../content";

/** What to pack. */
export interface PackageSource {
    /**
     * Folder that the sources and `node_modules` are in.
     * @default the project's folder
     */
    readonly dir: string;
    /**
     * Entry point, from `dir`.
     * @default `functions/index.ts`
     */
    readonly entry: string;
    /**
     * Settings of the Functions host, from `dir`.
     * @default `functions/host.json`
     */
    readonly hostFile: string;
    /**
     * Modules, from `dir`, that are bundles of their own because they are loaded at run time, with `import("./<name>.js")` from the entry's folder.
     * @default `functions/cold.ts` and `functions/telemetry.ts`
     */
    readonly lazy: readonly string[];
    /**
     * Files, from `dir`, by their place in the package.
     * @default what the page at `/api/docs` is made of
     */
    readonly assets: Readonly<Record<string, string>>;
}

/** The handlers, ready to deploy. */
export interface HandlerPackage {
    readonly zip: Uint8Array;
    /** SHA-256 of the zip, 64 hexadecimal digits. */
    readonly hash: string;
}

const swaggerUi = "node_modules/swagger-ui-dist";
const projectSource: PackageSource = {
    dir: projectDir,
    entry: "functions/index.ts",
    hostFile: "functions/host.json",
    lazy: ["functions/cold.ts", "functions/telemetry.ts"],
    assets: {
        "docs/LICENSE": `${swaggerUi}/LICENSE`,
        "docs/swagger-ui-bundle.js": `${swaggerUi}/swagger-ui-bundle.js`,
        "docs/swagger-ui.css": `${swaggerUi}/swagger-ui.css`,
    },
};

/** A package that was just made. */
export interface BuiltPackage extends HandlerPackage {
    /** Files that its content came from, from the sources' folder. */
    readonly inputs: readonly string[];
}

/**
 * Bundles the handlers, what is loaded later into files of its own, and packs them as Functions expects it. The same sources give the
 * same bytes in any folder, at any time and in any time zone, so that an unchanged package is not deployed again.
 */
export async function buildPackage(source: Partial<PackageSource> = {}): Promise<BuiltPackage> {
    const { dir, entry, hostFile, lazy, assets } = { ...projectSource, ...source };
    const bundled = await bundle(dir, [entry, ...lazy]);
    const files = {
        "host.json": readFileSync(path.join(dir, hostFile)),
        "package.json": Buffer.from(JSON.stringify({ name: "player-predictions-handlers", private: true, main: "index.js" })),
        ...Object.fromEntries(Object.entries(assets).map(([name, file]) => [name, readFileSync(path.join(dir, file))])),
        ...bundled.files,
    };
    const zip = zipSync(packed(files), { level: 6 });
    const inputs = [...bundled.inputs, hostFile, ...Object.values(assets)].sort();
    return { zip, hash: createHash("sha256").update(zip).digest("hex"), inputs };
}

/**
 * `@azure/functions` is published compiled for old versions of Node.js, with a WeakMap for each private field, of which every invocation
 * pays a dozen, also to the garbage collector. It comes with its TypeScript, which is compiled for the version that runs here. One of its
 * own dependencies then has to be taken in the form in which the published file takes it: the other has no exports.
 */
export const fromSources = {
    "@azure/functions": "./node_modules/@azure/functions/src/index.ts",
    "@azure/functions-extensions-base": "./node_modules/@azure/functions-extensions-base/dist/azure-functions-extensions-base.js",
};

interface Bundled {
    readonly files: Readonly<Record<string, Uint8Array>>;
    readonly inputs: readonly string[];
}

async function bundle(dir: string, entries: readonly string[]): Promise<Bundled> {
    const { outputFiles, metafile } = await build({
        absWorkingDir: dir,
        // The first is the package's entry, whatever it is called where it comes from.
        entryPoints: entries.map((file, i) => ({ in: file, out: i === 0 ? "index" : path.parse(file).name })),
        outdir: ".",
        write: false,
        metafile: true,
        bundle: true,
        platform: "node",
        target: "node24",
        format: "cjs",
        // The Functions worker supplies the first; the others lie beside the entry.
        external: ["@azure/functions-core", ...entries.slice(1).map((file) => `./${path.parse(file).name}.js`)],
        alias: fromSources,
        // Paths get into the bundle: they must be those below `dir`, wherever a link leads.
        preserveSymlinks: true,
        // Not minified: a stack trace names a line that can be read in the package.
        legalComments: "eof",
        tsconfigRaw: {},
        logLevel: "silent",
    });
    return {
        files: Object.fromEntries(outputFiles.map((file) => [path.basename(file.path), file.contents])),
        inputs: Object.keys(metafile.inputs),
    };
}

/** Entries in the order of their names, with a fixed time (zip keeps local time without a zone, from 1980) and fixed permissions. */
function packed(files: Readonly<Record<string, Uint8Array>>): Zippable {
    const attributes = { mtime: new Date(1980, 0, 1), os: 3, attrs: 0o100644 << 16 };
    return Object.fromEntries(
        Object.entries(files)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, content]) => [name, [content, attributes]]),
    );
}
