import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { unzipSync } from "fflate";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readTokenExpiry } from "../../infra/handlers/deployment";
import { buildPackage } from "../../infra/handlers/package";

const projectDir = path.resolve(__dirname, "..", "..");

/** The sources as another checkout has them. */
function checkout(...below: string[]): string {
    const dir = path.join(mkdtempSync(path.join(tmpdir(), "checkout-")), ...below);
    mkdirSync(dir, { recursive: true });
    cpSync(path.join(projectDir, "functions"), path.join(dir, "functions"), { recursive: true });
    mkdirSync(path.join(dir, "ml"));
    for (const name of ["features.json", "promotions.json"]) {
        cpSync(path.join(projectDir, "ml", name), path.join(dir, "ml", name));
    }
    symlinkSync(path.join(projectDir, "node_modules"), path.join(dir, "node_modules"));
    return dir;
}

/** A small program of its own, for what does not need the handlers. */
function smallSource(text: string): string {
    const dir = mkdtempSync(path.join(tmpdir(), "source-"));
    writeFileSync(path.join(dir, "index.ts"), text);
    writeFileSync(path.join(dir, "host.json"), '{ "version": "2.0" }');
    return dir;
}

function buildSmall(text: string) {
    return buildPackage({ dir: smallSource(text), entry: "index.ts", hostFile: "host.json", lazy: [], assets: {} });
}

afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
});

describe("the handler package", () => {
    it("is the same bytes from two folders", async () => {
        const [one, other] = await Promise.all([buildPackage({ dir: checkout() }), buildPackage({ dir: checkout("deeper", "down") })]);
        expect(one.hash).toBe(other.hash);
        expect(Buffer.compare(one.zip, other.zip)).toBe(0);
    });

    it("holds the bundle, its entry, the host's settings and the page's files, and no path of this machine", async () => {
        const dir = checkout();
        const files = unzipSync((await buildPackage({ dir })).zip);
        expect(Object.keys(files)).toEqual([
            "cold.js",
            "docs/LICENSE",
            "docs/swagger-ui-bundle.js",
            "docs/swagger-ui.css",
            "host.json",
            "index.js",
            "package.json",
            "telemetry.js",
        ]);
        expect(JSON.parse(Buffer.from(files["package.json"] ?? []).toString())).toMatchObject({ main: "index.js" });
        expect(JSON.parse(Buffer.from(files["host.json"] ?? []).toString())).toMatchObject({ version: "2.0" });
        const text = (name: string): string => Buffer.from(files[name] ?? []).toString();
        const entry = text("index.js");
        const bundle = entry + text("cold.js") + text("telemetry.js");
        expect(entry).toContain('require("@azure/functions-core")');
        expect(bundle).not.toContain(dir);
        expect(bundle).not.toContain(projectDir);
        expect(entry).toContain('import("./telemetry.js")');
        expect(entry).toContain('import("./cold.js")');
    });

    it("loads the clients of the cold path with the cold path alone", async () => {
        const files = unzipSync((await buildPackage()).zip);
        const holds = (name: string, library: string): boolean => Buffer.from(files[name] ?? []).toString().includes(`// node_modules/${library}/`);
        for (const library of ["@aws-sdk/client-s3", "@azure/storage-blob", "csv-parse", "mysql2"]) {
            expect([library, holds("index.js", library), holds("cold.js", library)]).toEqual([library, false, true]);
        }
    });

    it("does not depend on when and in which time zone it is built", async () => {
        const text = "export const answer: number = 42;";
        const now = await buildSmall(text);
        vi.useFakeTimers({ toFake: ["Date"], now: new Date("2031-07-01T12:34:56Z") });
        vi.stubEnv("TZ", "Asia/Seoul");
        expect((await buildSmall(text)).hash).toBe(now.hash);
    });

    it("is another one when a source changes", async () => {
        expect((await buildSmall("export const answer = 42;")).hash).not.toBe((await buildSmall("export const answer = 43;")).hash);
    });

    it("fails on a source that does not build", async () => {
        await expect(buildSmall('import "./missing";')).rejects.toThrow("./missing");
    });
});

describe("the token of the package", () => {
    it("stays the same all year and lasts a year at least", () => {
        expect(readTokenExpiry(new Date("2026-01-01T00:00:00Z"))).toBe("2027-12-31T00:00:00Z");
        expect(readTokenExpiry(new Date("2026-12-31T23:59:59Z"))).toBe("2027-12-31T00:00:00Z");
        expect(readTokenExpiry(new Date("2027-01-01T00:00:00Z"))).toBe("2028-12-31T00:00:00Z");
    });
});
