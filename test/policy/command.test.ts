import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyFaults } from "../../review/policies";
import { CommandLine, copyProject } from "../engine/command-line";

/** A resource beside the program's, as someone may add one. */
const careless = `import { StorageAccount } from "@pulumi/azure-native/storage/storageAccount";
import "./node-start";
import { program } from "./program";

export = async () => {
    const outputs = await program();
    new StorageAccount("careless", { resourceGroupName: "games", sku: { name: "Standard_LRS" }, kind: "StorageV2", allowBlobPublicAccess: true });
    return outputs;
};
`;

/** What the command says of broken rules: which, on what, and what to change. */
function faultsIn(output: string): string[] {
    const told = output.matchAll(/- \[mandatory\] {2}(\S+) {2}\(\S+: (\S+)\)\n.*\n +(.*)\n/g);
    return [...told].map(([, rule, resource, fault]) => `${rule} ${resource}: ${fault}`);
}

describe("pulumi preview --policy-pack infra/policy", { timeout: 300_000 }, () => {
    const dir = mkdtempSync(path.join(tmpdir(), "policy-command-"));
    const project = path.join(dir, "project");
    let commandLine: CommandLine;

    beforeAll(async () => {
        commandLine = await CommandLine.start(dir);
        copyProject(project, ["dev", "prod"]);
        await commandLine.pulumi(project, "stack", "init", "dev");
        await commandLine.pulumi(project, "stack", "init", "prod");
    });

    afterAll(() => {
        commandLine.stop();
        rmSync(dir, { recursive: true, force: true });
    });

    const preview = (stack: string) => commandLine.run(project, "preview", "--stack", stack, "--policy-pack", "infra/policy");

    it.each(["dev", "prod"])("lets the stack %s pass", async (stack) => {
        const { exitCode, output } = await preview(stack);
        expect([exitCode, output]).toEqual([0, expect.stringMatching(/^Policies:\n {4}\S+ player-predictions@.*\(local: infra\/policy\)$/m)]);
        expect(faultsIn(output)).toEqual([]);
    });

    it("refuses a setting that breaks a rule, with what to change", async () => {
        await commandLine.pulumi(project, "config", "set", "--stack", "prod", "protectData", "false");
        const { exitCode, output } = await preview("prod");
        expect(exitCode).not.toBe(0);
        const faults = faultsIn(output);
        expect(faults).toContain("data-protected playerslake: it can be deleted: set the option protect to true");
        expect(faults.filter((fault) => !fault.startsWith("data-protected "))).toEqual([]);
        // The review's source, which reads the same text.
        expect(policyFaults(output)).toEqual(expect.arrayContaining([expect.stringContaining("data-protected"), "it can be deleted: set the option protect to true"]));
        expect(policyFaults((await preview("dev")).output)).toEqual([]);
    });

    it("names an environment that is not there, and what one lacks that nobody has described", async () => {
        const error = async () => {
            const { exitCode, output } = await preview("qa");
            expect(exitCode).not.toBe(0);
            return output.split("\n").filter((line) => line.startsWith("error: "));
        };
        expect(await error()).toEqual(["error: no stack named 'qa' found"]);
        await commandLine.pulumi(project, "stack", "init", "qa");
        expect(await error()).toEqual([expect.stringMatching(/^error: .*Stack 'qa' is missing configuration values .*'databaseInstance'.*'sourceBucket'$/)]);
    });

    it("refuses a password in plain text in one line", async () => {
        await commandLine.pulumi(project, "config", "set", "--stack", "dev", "--plaintext", "databasePassword", "hunter2");
        await commandLine.pulumi(project, "config", "set", "--stack", "dev", "databaseAuth", "password");
        const { exitCode, output } = await preview("dev");
        expect(exitCode).not.toBe(0);
        expect(output).toMatch(/databasePassword stands in the stack's file in plain text/);
        expect(output).not.toContain("hunter2");
        for (const key of ["databasePassword", "databaseAuth"]) {
            await commandLine.pulumi(project, "config", "rm", "--stack", "dev", key);
        }
    });

    it("refuses a resource that breaks rules, with what to change", async () => {
        writeFileSync(path.join(project, "infra", "index.ts"), careless);
        const { exitCode, output } = await preview("dev");
        expect(exitCode).not.toBe(0);
        const faults = faultsIn(output);
        expect(faults).toContain("storage-no-public-access careless: allowBlobPublicAccess is true: set it to false");
        expect(faults).toContain("storage-blob-settings careless: nothing says that deleted blobs are kept: add BlobServiceProperties of the account");
        expect(faults.filter((fault) => !fault.includes(" careless: "))).toEqual([]);
    });
});
