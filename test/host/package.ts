import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { openWorkshop, type Workshop } from "../../local/parts/workshop";

/** An empty folder of this test run. */
export function temporaryDir(): string {
    return mkdtempSync(path.join(tmpdir(), "player-predictions-host-"));
}

export function openTestWorkshop(): Promise<Workshop> {
    return openWorkshop(temporaryDir());
}

export async function closeTestWorkshop(workshop: Workshop): Promise<void> {
    await workshop.stop();
    rmSync(workshop.dir, { recursive: true, force: true });
}

/** Bundles a fixture as handler packages are bundled: one CommonJS file, `@azure/functions-core` left to the host. */
export async function buildFixture(dir: string, name: string, host: object = {}): Promise<string> {
    const packageDir = path.join(dir, name);
    mkdirSync(packageDir, { recursive: true });
    await build({
        entryPoints: [path.join(__dirname, "fixtures", `${name}.ts`)],
        outfile: path.join(packageDir, "index.js"),
        bundle: true,
        platform: "node",
        format: "cjs",
        external: ["@azure/functions-core"],
        logLevel: "silent",
    });
    writePackage(packageDir, host);
    return packageDir;
}

/** A package of code as it is. */
export function writeFixture(dir: string, name: string, code: string): string {
    const packageDir = path.join(dir, name);
    mkdirSync(packageDir, { recursive: true });
    writeFileSync(path.join(packageDir, "index.js"), code);
    writePackage(packageDir, {});
    return packageDir;
}

function writePackage(packageDir: string, host: object): void {
    writeFileSync(path.join(packageDir, "package.json"), JSON.stringify({ name: "fixture", main: "index.js" }));
    writeFileSync(path.join(packageDir, "host.json"), JSON.stringify({ version: "2.0", ...host }));
}

export const keys = { functionKey: "function-key", masterKey: "master-key" };

/** Asks until `done` is true. */
export async function until<T>(ask: () => Promise<T>, done: (value: T) => boolean, timeoutMs = 40_000): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
        const value = await ask();
        if (done(value)) {
            return value;
        }
        if (Date.now() > deadline) {
            throw new Error(`not so after ${timeoutMs} ms: ${JSON.stringify(value)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
