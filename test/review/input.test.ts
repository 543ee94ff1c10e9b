import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../local/parts/run";
import { NotAPreviewError } from "../../review/change";
import { readPreview, readPreviewFile } from "../../review/read";
import { reviewOf } from "../../review/report";
import { digest, handlers, lake, step, urnOf } from "./previews";

const expected = "expected the output of `pulumi preview --json`, or a plan of `pulumi preview --save-plan`";
const projectDir = path.resolve(__dirname, "..", "..");
let dir: string;

beforeAll(() => {
    dir = mkdtempSync(path.join(tmpdir(), "review-"));
});

afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
});

function write(name: string, text: string): string {
    const file = path.join(dir, name);
    writeFileSync(file, text);
    return file;
}

describe("a file that is no preview", () => {
    it.each([
        ["not JSON", "Previewing update (dev)\n", `it is not JSON; ${expected}`],
        ["empty", "", `it is not JSON; ${expected}`],
        ["a list", "[]", `it holds a list; ${expected}`],
        ["null", "null", `it holds null; ${expected}`],
        ["a stack's export", '{"version":3,"deployment":{}}', `it holds an object of "version", "deployment"; ${expected}`],
        ["an empty object", "{}", `it holds an empty object; ${expected}`],
        ["steps that are none", '{"steps":"all"}', `"steps" is wrong: Invalid input: expected array, received string; ${expected}`],
        ["a step without a URN", '{"steps":[{"op":"create"}]}', `"steps.0.urn" is wrong: Invalid input: expected string, received undefined; ${expected}`],
        ["a URN that is none", '{"steps":[{"op":"create","urn":"lake"}]}', 'steps.0.urn is "lake"; expected a URN such as urn:pulumi:dev::project::type::name'],
        ["a plan of no URNs", '{"resourcePlans":{"lake":{}}}', 'resourcePlans has the key "lake"; expected a URN such as urn:pulumi:dev::project::type::name'],
    ])("%s is refused with one line that names it", (_, text, message) => {
        const file = write("bad.json", text);
        expect(() => readPreviewFile(file)).toThrow(new NotAPreviewError(`${JSON.stringify(file)} is not a preview: ${message}`));
    });

    it("a file that is not there", () => {
        expect(() => readPreviewFile("none\n.json")).toThrow(new NotAPreviewError(`"none\\n.json" cannot be read (ENOENT); ${expected}`));
    });
});

describe("a saved plan", () => {
    const account = { type: "azure-native:storage:StorageAccount", name: "playerslake", parents: lake };
    const app = { type: "azure-native:web:WebApp", name: "players-handlers-app", parents: handlers };
    const plan = {
        manifest: { time: "2026-06-01T00:00:00Z", magic: "", version: "3.274.1" },
        resourcePlans: {
            [urnOf({ type: "pulumi:providers:azure-native", name: "default_3_28_0" })]: { goal: { custom: true }, steps: ["create"], state: {} },
            [urnOf({ type: "player-predictions:lake:Lake", name: "players-lake" })]: { goal: { custom: false }, steps: ["same"], state: {} },
            [urnOf(account)]: { steps: ["delete"], state: {} },
            [urnOf(app)]: {
                goal: {
                    custom: true,
                    inputDiff: { updates: { siteConfig: { appSettings: [{ name: "INGEST_SCHEDULE", value: "0 0 4 * * *" }] } }, deletes: ["clientAffinityEnabled"] },
                },
                steps: ["update"],
                state: {},
            },
        },
    };

    it("is reviewed by what it tells: what happens, and to which values", () => {
        const text = reviewOf(readPreview(JSON.stringify(plan)));
        expect(text).toContain("1 deleted, 1 updated.");
        expect(text).toContain("storage account `playerslake` (infra/lake) is **deleted**");
        expect(text).toContain("`INGEST_SCHEDULE`: now `0 0 4 * * *` (at 04:00, every day, UTC)");
        expect(text).toContain("  - `clientAffinityEnabled`: -> *nothing*");
        expect(text).not.toContain("public network access");
    });
});

describe("the command", () => {
    const review = (...args: string[]) => run(process.execPath, ["--import", "tsx", "review/main.ts", ...args], { cwd: projectDir });

    it("writes Markdown, to a file as well, and ends with 0", async () => {
        const file = write("good.json", digest(step({ op: "create", type: "azure-native:storage:Queue", name: "q", after: {} })));
        const { exitCode, output } = await review(file);
        expect([exitCode, output]).toEqual([0, expect.stringContaining("- created: queue `q`")]);
        const out = path.join(dir, "review.md");
        expect(await review(file, "--out", out)).toEqual({ exitCode: 0, output: "" });
        expect(readFileSync(out, "utf8")).toBe(output);
    });

    it("ends with 2 and one line on bad input", async () => {
        const { exitCode, output } = await review(write("bad.json", "{}"));
        expect(exitCode).toBe(2);
        expect(output).toMatch(/^review: "[^\n]*bad\.json" is not a preview: it holds an empty object; expected [^\n]*\n$/);
        expect((await review()).exitCode).toBe(2);
    });

    it("tells bad input in a review, too, where it knows the stack: an older one must not stay there", async () => {
        const [out, log] = [path.join(dir, "failed.md"), write("failed.log", "\u001b[31merror: no stack named 'qa' found\u001b[0m\n")];
        expect((await review(write("none.json", ""), "--stack", "qa", "--log", log, "--out", out)).exitCode).toBe(2);
        const written = readFileSync(out, "utf8");
        expect(written).toMatch(/^<!-- player-predictions preview qa -->\n## Preview of `qa`\n\nWhat changes is not known: the preview failed\.\n/);
        expect(written).toContain("- `error: no stack named 'qa' found`");
    });
});
