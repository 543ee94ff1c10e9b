import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { putOff } from "../../infra/put-off";
import { run } from "../../local/parts/run";

const dir = mkdtempSync(path.join(tmpdir(), "put-off-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A module that notes when it is loaded. */
function moduleFile(name: string): string {
    const file = path.join(dir, `${name}.js`);
    writeFileSync(file, `globalThis.loads = [...(globalThis.loads ?? []), "${name}"]; module.exports = { answer: 42, loads: () => globalThis.loads };`);
    return file;
}

it("a module is loaded when something of it is used, and once", () => {
    const file = moduleFile("later");
    putOff(file);
    const load = createRequire(path.join(dir, "user.js"));
    const module = load(file) as { readonly answer: number; readonly loads: () => string[] };
    expect(globalThis).not.toHaveProperty("loads");
    expect(module.answer).toBe(42);
    expect(module.loads()).toEqual(["later"]);
    expect((load(file) as typeof module).answer).toBe(42);
    expect(module.loads()).toEqual(["later"]);
});

it("a module that is loaded already stays as it is", () => {
    const file = moduleFile("before");
    const load = createRequire(path.join(dir, "user.js"));
    const module: unknown = load(file);
    putOff(file);
    expect(load(file)).toBe(module);
});

it("a program starts without TypeScript and npm's tree, and closures can be written down all the same", async () => {
    const cwd = path.join(dir, "project");
    mkdirSync(cwd);
    writeFileSync(path.join(cwd, "package.json"), JSON.stringify({ name: "project", version: "1.0.0" }));
    const { output } = await run(process.execPath, ["--import", require.resolve("tsx"), path.join(__dirname, "print-start.ts")], { cwd });
    expect(JSON.parse(output)).toEqual({
        before: [],
        after: ["typescript/lib", "@npmcli/arborist/lib/arborist"],
        isFunction: true,
        paths: [],
    });
});
