import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { buildPackage, type PackageSource } from "../../infra/handlers/package";
import { currentPackage } from "../../infra/handlers/package-cache";

// Does what it did, and counts.
vi.mock("../../infra/handlers/package", { spy: true });

const long = new Date("2026-01-01T00:00:00Z");
let dir: string;
let source: Partial<PackageSource>;

/** Writes a file as one that was there before. */
function write(file: string, content: string): void {
    const full = path.join(dir, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, content);
    utimesSync(full, long, long);
}

/** How often a package was bundled while something is done. */
async function bundledBy(work: () => Promise<unknown>): Promise<number> {
    const before = vi.mocked(buildPackage).mock.calls.length;
    await work();
    return vi.mocked(buildPackage).mock.calls.length - before;
}

beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), "package-cache-"));
    write("src/index.ts", 'import { answer } from "lib";\nimport { more } from "./more";\nexport const all = [answer, more];');
    write("src/more.ts", "export const more: number = 1;");
    write("host.json", '{ "version": "2.0" }');
    write("page.css", "a {}");
    write("node_modules/.package-lock.json", '{ "packages": {} }');
    write("node_modules/lib/package.json", '{ "name": "lib", "main": "one.js" }');
    write("node_modules/lib/one.js", "exports.answer = 1;");
    write("node_modules/lib/two.js", "exports.answer = 2;");
    source = { dir, entry: "src/index.ts", hostFile: "host.json", lazy: [], assets: { "docs/page.css": "page.css" } };
});

afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
});

describe("the package of the sources as they are", () => {
    it("is bundled once, and is the very bytes of a new one", async () => {
        const first = await currentPackage(source);
        expect(await bundledBy(async () => expect(await currentPackage(source)).toEqual({ zip: expect.anything() as unknown, hash: first.hash }))).toBe(0);
        const [kept, fresh] = [await currentPackage(source), await buildPackage(source)];
        expect(kept.hash).toBe(fresh.hash);
        expect(Buffer.compare(kept.zip, fresh.zip)).toBe(0);
    });

    it("takes over what the handlers themselves are bundled to", async () => {
        const [kept, fresh] = [await currentPackage(), await buildPackage()];
        expect(kept.hash).toBe(fresh.hash);
        expect(Buffer.compare(kept.zip, fresh.zip)).toBe(0);
    }, 120_000);

    const changes: Readonly<Record<string, () => void>> = {
        "the entry": () => write("src/index.ts", "export const all = [];"),
        "a source that it imports": () => write("src/more.ts", "export const more: number = 2;"),
        "what it imports of a package": () => write("node_modules/lib/one.js", "exports.answer = 3;"),
        "which file a package means": () => write("node_modules/lib/package.json", '{ "name": "lib", "main": "two.js" }'),
        "a file that is found first": () => write("src/more.tsx", "export const more: number = 3;"),
        "the host's settings": () => write("host.json", '{ "version": "2.0", "logging": {} }'),
        "an asset": () => write("page.css", "b {}"),
    };
    it.each(Object.keys(changes))("is bundled anew after a change of %s", async (what) => {
        const before = await currentPackage(source);
        changes[what]?.();
        const after = await currentPackage(source);
        expect(after.hash).not.toBe(before.hash);
        expect(after.hash).toBe((await buildPackage(source)).hash);
    });

    it("is bundled anew after an install, and for other options", async () => {
        await currentPackage(source);
        write("node_modules/.package-lock.json", '{ "packages": { "node_modules/other": {} } }');
        expect(await bundledBy(() => currentPackage(source))).toBe(1);
        expect(await bundledBy(() => currentPackage({ ...source, assets: {} }))).toBe(1);
    });

    it("is bundled anew where what is kept is broken, or the leavings of a run that was killed", async () => {
        const { hash } = await currentPackage(source);
        const build = path.join(dir, "build");
        const zip = path.join(build, readdirSync(build).find((name) => name.endsWith(".zip")) ?? "");
        writeFileSync(path.join(build, "handlers.json.1"), "{");
        expect(await bundledBy(() => currentPackage(source))).toBe(0);

        writeFileSync(path.join(build, "handlers.json"), readFileSync(path.join(build, "handlers.json"), "utf8").slice(0, 40));
        expect(await bundledBy(async () => expect((await currentPackage(source)).hash).toBe(hash))).toBe(1);

        writeFileSync(zip, readFileSync(zip).subarray(0, 100));
        expect(await bundledBy(async () => expect((await currentPackage(source)).hash).toBe(hash))).toBe(1);
        expect(await bundledBy(() => currentPackage(source))).toBe(0);
    });

    it("is not taken for that of a source that was written while it was bundled", async () => {
        await currentPackage(source);
        write("src/more.ts", "export const more: number = 4;");
        const future = new Date(Date.now() + 3_600_000);
        utimesSync(path.join(dir, "src/more.ts"), future, future);
        expect(await bundledBy(() => currentPackage(source))).toBe(1);
        expect(await bundledBy(() => currentPackage(source))).toBe(1);
    });

    it("fails on a source that does not build, and keeps nothing of it", async () => {
        write("src/more.ts", 'import "./missing";');
        await expect(currentPackage(source)).rejects.toThrow("./missing");
        expect(() => readdirSync(path.join(dir, "build"))).toThrow();
    });
});
