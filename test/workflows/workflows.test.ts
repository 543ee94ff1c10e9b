import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ensurePython } from "../../local/parts/python";

const run = promisify(execFile);

async function shellcheck(): Promise<string> {
    return path.join(path.dirname(await ensurePython()), "shellcheck");
}

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
    let actionlint: readonly [string, ...string[]];
    beforeAll(async () => {
        const { stdout } = await run(path.join(projectDir, "scripts", "actionlint.sh"));
        actionlint = [stdout.trim(), "-no-color", `-shellcheck=${await shellcheck()}`];
        // The first time it is built.
    }, 300_000);

    it("are what GitHub takes, says actionlint, and their scripts what the shell takes", async () => {
        const [command, ...args] = actionlint;
        const result = await run(command, [...args, ...files], { cwd: projectDir });
        expect(result.stdout).toBe("");
    });

    it.each([
        ["runs-on:", "runs_on:", "runs_on"],
        ["--stack dev", "--stack $STACK", "SC2086"],
    ])("are refused by actionlint where %s is %s", async (right, wrong, fault) => {
        const [command, ...args] = actionlint;
        const linted = run(command, [...args, "-"], { cwd: projectDir });
        linted.child.stdin?.end(read(path.join(workflowDir, "up.yml")).replace(right, wrong));
        await expect(linted).rejects.toMatchObject({ stdout: expect.stringContaining(fault) as string });
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

describe("the shell's scripts", () => {
    const inFolder = (...names: string[]): string[] => {
        const folder = path.join(projectDir, ...names);
        return readdirSync(folder).filter((name) => /^run$|\.sh$/.test(name)).map((name) => path.join(folder, name));
    };
    const scripts = [...inFolder("scripts"), ...inFolder(".ci"), ...inFolder("infra", "policy"), ...inFolder(".github", "actions", "stack")];

    it("have no fault that shellcheck knows", async () => {
        expect(scripts.length).toBeGreaterThan(4);
        const { stdout } = await run(await shellcheck(), ["--external-sources", "--source-path=SCRIPTDIR", ...scripts]);
        expect(stdout).toBe("");
    });

    it("have none in the steps of the action, which actionlint does not read", async () => {
        const { runs } = parse(read(action)) as { runs: { steps: readonly { readonly run?: string }[] } };
        const steps = runs.steps.flatMap((step) => step.run ?? []);
        expect(steps.length).toBeGreaterThan(2);
        for (const step of steps) {
            const checked = run(await shellcheck(), ["--shell=bash", "-"]);
            checked.child.stdin?.end(step);
            expect((await checked).stdout).toBe("");
        }
    });
});
