import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const run = promisify(execFile);
const projectDir = path.resolve(__dirname, "..", "..");
const workflowDir = path.join(projectDir, ".github", "workflows");
const files = readdirSync(workflowDir).map((name) => path.join(workflowDir, name));
const action = path.join(projectDir, ".github", "actions", "stack", "action.yml");
const allFiles = [...files, action];
const read = (file: string) => readFileSync(file, "utf8");

interface Job {
    readonly permissions: Readonly<Record<string, string>>;
    readonly environment?: string;
    readonly needs?: string;
    readonly "timeout-minutes": number;
    readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

interface Workflow {
    readonly permissions: Readonly<Record<string, string>>;
    readonly concurrency: unknown;
    readonly jobs: Readonly<Record<string, Job>>;
}

const workflow = (name: string) => parse(read(path.join(workflowDir, name))) as Workflow;
const jobs = files.flatMap((file) => Object.entries(workflow(path.basename(file)).jobs));

describe("the workflows", () => {
    it(
        "are what GitHub takes, says actionlint",
        async () => {
            const { stdout } = await run(path.join(projectDir, "scripts", "actionlint.sh"));
            const result = await run(stdout.trim(), ["-no-color", "-shellcheck=", ...files], { cwd: projectDir });
            expect(result.stdout).toBe("");
        },
        // The first time it is built.
        300_000,
    );

    it("are refused by actionlint where they are wrong", async () => {
        const { stdout } = await run(path.join(projectDir, "scripts", "actionlint.sh"));
        const linted = run(stdout.trim(), ["-no-color", "-shellcheck=", "-"], { cwd: projectDir });
        linted.child.stdin?.end(read(path.join(workflowDir, "up.yml")).replace("runs-on:", "runs_on:"));
        await expect(linted).rejects.toMatchObject({ stdout: expect.stringContaining("runs_on") as string });
    });

    it("hold no secret and ask for none", () => {
        for (const file of allFiles) {
            expect(read(file), file).not.toMatch(/secrets\s*[.[]|PASSPHRASE|ACCESS_KEY|ACCESS_TOKEN|client-secret|creds:/);
        }
    });

    it("pin actions by their commit, which is read by its version", () => {
        const used = allFiles.flatMap((file) => read(file).match(/uses: (?!\.\/).+/g) ?? []);
        expect(used.length).toBeGreaterThan(0);
        expect(used.filter((line) => !/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
    });

    it("may do nothing but what a job says, end in time and do not overtake each other", () => {
        for (const file of files) {
            const { permissions, concurrency, jobs: own } = workflow(path.basename(file)) as { permissions: object; concurrency?: unknown; jobs: Record<string, { concurrency?: unknown }> };
            expect(permissions, file).toEqual({});
            const groups = Object.values(own).map((job) => job.concurrency ?? concurrency);
            expect(groups, file).not.toContain(undefined);
        }
        // One that waits for an approval holds its own environment alone.
        expect(workflow("up.yml")).not.toHaveProperty("concurrency");
        for (const [name, job] of jobs) {
            expect(job["timeout-minutes"], name).toBeLessThanOrEqual(120);
            expect([{ contents: "read", "id-token": "write" }, { "pull-requests": "write" }], name).toContainEqual(job.permissions);
        }
    });

    it("get an identity from an environment alone", () => {
        for (const [name, job] of jobs) {
            expect("id-token" in job.permissions, name).toBe(job.environment !== undefined);
        }
    });

    it("never let the code of a pull request write to it, or change a cloud", () => {
        const { preview, comment } = workflow("preview.yml").jobs;
        expect(preview?.environment).toBe("${{ matrix.stack }}-preview");
        expect(preview?.steps.some((step) => /pulumi up/.test(step.run ?? ""))).toBe(false);
        expect(comment?.steps.some((step) => /checkout|npm|\.\//.test(`${step.uses} ${step.run}`))).toBe(false);
    });

    it("bring up dev before prod, each behind its environment's approval, under the policies", () => {
        const { dev, prod } = workflow("up.yml").jobs;
        expect([dev?.environment, prod?.environment, prod?.needs]).toEqual(["dev", "prod", "dev"]);
        for (const job of [dev, prod]) {
            expect(job?.steps.at(-1)?.run).toContain("--policy-pack infra/policy");
        }
    });

    it("look for drift with the clouds' own word", () => {
        expect(workflow("drift.yml").jobs.drift?.steps.at(-1)?.run).toMatch(/preview .*--refresh .*--expect-no-changes/);
    });

    it("use the Pulumi CLI that the tests use", () => {
        const version = /^version=(.+)$/m.exec(read(path.join(projectDir, "scripts", "pulumi-cli.sh")))?.[1];
        expect(read(action)).toContain(`pulumi-version: ${version}\n`);
    });
});
