import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProgramContext } from "../../infra/program";
import { program } from "../../infra/program";
import { EngineStack } from "../../local/engine/engine-stack";
import { openWorkshop, type Workshop } from "../../local/parts/workshop";
import { readPreview, readPreviewFile } from "../../review/read";
import { reviewOf } from "../../review/report";
import { paperCloud } from "../infra/paper-cloud";
import { fakePackage, makeModelFolder, stackConfig } from "../infra/recording";

const project = "player-predictions";
const now = new Date("2026-06-01T00:00:00Z");
const password = "the-database-password";

/** Previews by Pulumi's own engine, of the whole program, over providers on paper: nothing has to run behind them. */
describe("previews that the engine made", { timeout: 300_000 }, () => {
    let dir: string;
    let workshop: Workshop;
    let stack: EngineStack;
    let context: ProgramContext = { package: fakePackage, now };
    const secrets: Record<string, string> = { databasePassword: password };
    const values = {
        ...stackConfig("dev"),
        [`${project}:modelFolder`]: makeModelFolder(),
        [`${project}:databaseAuth`]: "password",
        [`${project}:functionAlwaysReady`]: "1",
    };

    beforeAll(async () => {
        dir = mkdtempSync(path.join(tmpdir(), "review-engine-"));
        workshop = await openWorkshop(dir);
        stack = await EngineStack.open({
            workshop,
            cloud: paperCloud(),
            stack: "dev",
            config: { project, values },
            secrets,
            passphrase: "passphrase",
            program: () => program(context) as Promise<Record<string, unknown>>,
        });
    }, 300_000);

    afterAll(async () => {
        await workshop.stop();
        rmSync(dir, { recursive: true, force: true });
    });

    async function change(changes: Record<string, string>, changedContext: Partial<ProgramContext> = {}): Promise<void> {
        context = { package: fakePackage, now, ...changedContext };
        await stack.configure({ ...values, ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [key.includes(":") ? key : `${project}:${key}`, value])) });
    }

    /** The review after a change of the configuration. */
    async function review(changes: Record<string, string> = {}, changedContext: Partial<ProgramContext> = {}): Promise<string> {
        await change(changes, changedContext);
        return reviewOf(readPreview(await stack.previewJson()));
    }

    /** The same from the plan that the engine saves. */
    async function planReview(changes: Record<string, string> = {}): Promise<string> {
        await change(changes);
        const plan = path.join(dir, "plan.json");
        await stack.preview({ plan });
        return reviewOf(readPreviewFile(plan));
    }

    it("of a new stack: every part, every right by its role's name, no secret", async () => {
        const text = await review();
        expect(text).toMatch(/^\d+ created\.$/m);
        for (const part of ["aws", "cache", "handlers", "lake", "models", "monitoring", "runtime"]) {
            expect(text).toContain(`### infra/${part}\n`);
        }
        expect(text).toContain("identity `players-handlers` gains **Storage Blob Data Contributor** on container `players-lake-predictions`");
        expect(text).toContain("`INGEST_SCHEDULE`: `0 15 3 * * *` (at 03:15, every day, UTC)");
        expect(text).not.toMatch(/a role that is known after the update|### Data that is lost/);
        expect(text).not.toContain(password);
    });

    it("of what has changed since", async () => {
        await stack.up();

        expect(await review()).toContain("Nothing changes.");

        const schedule = await review({ ingestSchedule: "0 0 4 * * *" });
        expect(schedule).toContain("\n1 updated.\n");
        expect(schedule).toContain(
            "### Schedules\n\n- function app `players-handlers-app`: `INGEST_SCHEDULE`: `0 15 3 * * *` (at 03:15, every day, UTC) -> `0 0 4 * * *` (at 04:00, every day, UTC)",
        );
        expect(schedule).toContain("  - `siteConfig.appSettings.INGEST_SCHEDULE`: `0 15 3 * * *` -> `0 0 4 * * *`");
        expect(schedule).not.toContain("### Access");

        delete secrets.databasePassword;
        const signIn = await review({ databaseAuth: "iam" });
        secrets.databasePassword = password;
        expect(signIn).toContain("Key Vault `players-db-kv` (infra/handlers) is **deleted**: its secrets and keys. Because the program does not register it any more.");
        expect(signIn).toMatch(/identity `players-handlers` \(object id `principal-of-players-handlers`\) loses \*\*Key Vault Secrets User\*\* on .*players-db-secret/);
        expect(signIn).toMatch(/AWS role `players-aws-role` gains `rds-db:connect` on `arn:aws:rds-db:/);
        expect(signIn).toContain("  - `siteConfig.appSettings.DATABASE_AUTH`: `password` -> `iam`");
        expect(signIn).not.toContain(password);

        const moved = await review({ "azure-native:location": "koreasouth" });
        expect(moved).toContain("resource group `players-group` (the stack itself) is **replaced**: everything in it. Because of `location` (`koreacentral` -> `koreasouth`).");
        expect(moved).toMatch(/storage account `playerslake` \(infra\/lake\) is \*\*replaced\*\*: all its containers, queues and tables\. Because of .*resource group `players-group`.* is replaced/);
        expect(moved.indexOf("### Data that is lost")).toBeLessThan(moved.indexOf("### infra/lake"));

        const code = await review({}, { package: { ...fakePackage, hash: "cd".repeat(32) } });
        expect(code).not.toMatch(/### Data that is lost|### Access|### Network/);
        expect(code).toContain("`deploymentName`");
        expect(code).not.toContain("signature");

        const sameYear = await review({}, { now: new Date("2026-12-31T23:00:00Z") });
        expect(sameYear).toContain("Nothing changes.");
    });

    it("of plans that the engine saved: what happens, and to which values", async () => {
        await change({});
        await stack.up();
        expect(await planReview()).toContain("Nothing changes.");

        const schedule = await planReview({ ingestSchedule: "0 0 4 * * *" });
        expect(schedule).toContain("\n1 updated.\n");
        expect(schedule).toContain("- function app `players-handlers-app`: `INGEST_SCHEDULE`: now `0 0 4 * * *` (at 04:00, every day, UTC)");
        expect(schedule).toContain("- updated: function app `players-handlers-app`\n  - `siteConfig`: -> ");
        expect(schedule).not.toMatch(/### Data that is lost|### Access/);

        const moved = await planReview({ "azure-native:location": "koreasouth" });
        expect(moved).toContain(
            "resource group `players-group` (the stack itself) is **replaced**: everything in it. Because of one of `location` (a plan does not tell which).",
        );
        expect(moved).toMatch(/storage account `playerslake` \(infra\/lake\) is \*\*replaced\*\*: all its containers, queues and tables\./);
        expect(moved.indexOf("### Data that is lost")).toBeLessThan(moved.indexOf("### Access"));
        expect(schedule + moved).not.toContain(password);
    });
});
