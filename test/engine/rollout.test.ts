import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isInShare } from "../../functions/predict/model-choice";
import { readModelFolder } from "../../infra/models/model-folder";
import { projectDir } from "../../local/parts/paths";
import { run } from "../../local/parts/run";
import { featuresOf, readPlayers } from "../../local/players";
import { handlerEnvironment, lines, minutes, openStack, trainModel, type OpenStack } from "./stack";

const dir = mkdtempSync(path.join(tmpdir(), "rollout-stack-"));
const stackDir = path.join(dir, "stack");
const percent = 50;
const versions = { old: "", new: "" };
const players: { readonly playerId: string; readonly features: object }[] = [];
let folders: { readonly old: string; readonly new: string };
let stack: OpenStack;

/** Brings the stack up with both models kept. @returns what was done */
async function up(settings: Readonly<Record<string, string>>): Promise<string[]> {
    await stack.configure({ keptModelFolders: JSON.stringify([folders.old, folders.new]), recordPercent: "100", ...settings });
    const { operations, outputs } = await stack.engine.up();
    writeFileSync(path.join(dir, "stack.json"), JSON.stringify(outputs));
    return lines(operations);
}

interface Answered {
    readonly playerId: string;
    readonly modelVersion: string;
    readonly source: string;
}

/** Asks the deployed handlers about players until they answer for all: the first tries of a busy machine may take longer than they wait. */
function ask(from: number, to: number): Promise<Answered[]> {
    const [app] = stack.ground.cloud.web.running;
    return vi.waitFor(
        async () => {
            const answer = await fetch(`${app?.url}/api/predictions`, {
                method: "POST",
                headers: { "content-type": "application/json", "x-functions-key": app?.functionKey ?? "" },
                body: JSON.stringify({ players: players.slice(from, to) }),
            });
            const { predictions, errors } = (await answer.json()) as { predictions: Answered[]; errors: unknown[] };
            expect(errors).toEqual([]);
            return predictions;
        },
        { timeout: minutes, interval: 500 },
    );
}

/** Runs a command of `scripts/` as the handlers' identity, which may read the lake and score. */
function script(name: string, ...args: readonly string[]) {
    const { IDENTITY_ENDPOINT = "", IDENTITY_HEADER = "", AZURE_CLIENT_ID = "", NODE_EXTRA_CA_CERTS = "" } = handlerEnvironment(stackDir);
    return run(process.execPath, ["--import", "tsx", `scripts/${name}.ts`, ...args], {
        cwd: projectDir,
        env: { IDENTITY_ENDPOINT, IDENTITY_HEADER, AZURE_CLIENT_ID, NODE_EXTRA_CA_CERTS },
    });
}

function lake(): string {
    return handlerEnvironment(stackDir).Lake__blobServiceUri ?? "";
}

/** What `npm run compare` prints, once it prints this: the handlers write twice a minute. */
function compared(expected: RegExp): Promise<string> {
    return vi.waitFor(
        async () => {
            const { output } = await script("compare", lake());
            expect(output).toMatch(expected);
            return output;
        },
        { timeout: 2 * minutes, interval: 3_000 },
    );
}

beforeAll(async () => {
    folders = { old: await trainModel(dir, 1), new: await trainModel(dir, 2) };
    Object.assign(versions, { old: readModelFolder(folders.old).modelVersion, new: readModelFolder(folders.new).modelVersion });
    for await (const row of readPlayers(path.join(dir, "players-1.csv"))) {
        players.push({ playerId: String(row.idx), features: featuresOf(row) });
    }
    // What answers is asked here, and not how fast.
    stack = await openStack(stackDir, { modelFolder: folders.old, requestDeadlineMs: "30000", onlineRequestTimeoutSeconds: "30" });
}, 5 * minutes);

afterAll(async () => {
    await stack?.close();
    rmSync(dir, { recursive: true, force: true });
}, minutes);

describe("a new model beside the old one", () => {
    test("answers its share of the players by their ids, with its version", async () => {
        await up({ challengerFolder: folders.new, challengerMode: "share", challengerPercent: String(percent) });
        const expected = players.slice(0, 40).map(({ playerId }) => (isInShare(playerId, percent) ? versions.new : versions.old));
        expect(new Set(expected).size).toBe(2);
        expect((await ask(0, 40)).map(({ modelVersion }) => modelVersion)).toEqual(expected);
        expect((await ask(0, 40)).map(({ modelVersion, source }) => [modelVersion, source])).toEqual(expected.map((version) => [version, "cache"]));
    }, 8 * minutes);

    test("is compared by what the handlers kept", async () => {
        const output = await compared(/^players +\d+ +\d+$/m);
        expect(output).toMatch(new RegExp(`^model +${versions.old} +${versions.new}$`, "m"));
        const [, old = "0", other = "0"] = /^players +(\d+) +(\d+)$/m.exec(output) ?? [];
        expect(Number(old) + Number(other)).toBeGreaterThanOrEqual(40);
        expect(output).toContain("no player has a prediction of both models");
    }, 3 * minutes);

    test("is checked with the requests that the handlers recorded", async () => {
        const limits = ["--labels", "1", "--psi", "100", "--slower", "1000"];
        const { exitCode, output } = await script("rollout-check", lake(), versions.new, "--stack", path.join(dir, "stack.json"), ...limits);
        expect(output).toContain(`${versions.new} may take the place of ${versions.old}`);
        expect(output).toMatch(/^of \d+ players with predictions of both:$/m);
        expect(exitCode).toBe(0);
    }, 3 * minutes);

    test("answers nobody in the shadow, which is a setting, and both predict the same players", async () => {
        expect(await up({ challengerFolder: folders.new, challengerMode: "shadow", challengerPercent: "100" })).toEqual(["update WebApp players-handlers-app"]);
        expect(new Set((await ask(40, 80)).map(({ modelVersion }) => modelVersion))).toEqual(new Set([versions.old]));
        await compared(/^of \d+ players with predictions of both:$/m);
    }, 5 * minutes);

    test("takes its place by a setting, and gives it back by the same one", async () => {
        const bothUpdates = ["update BatchDeployment players-ml-batch-deployment", "update WebApp players-handlers-app"];
        expect(await up({ modelFolder: folders.new })).toEqual(bothUpdates);
        expect(new Set((await ask(40, 60)).map(({ modelVersion, source }) => `${modelVersion} ${source}`))).toEqual(new Set([`${versions.new} model`]));

        expect(await up({ modelFolder: folders.old })).toEqual(bothUpdates);
        expect(new Set((await ask(40, 60)).map(({ modelVersion, source }) => `${modelVersion} ${source}`))).toEqual(new Set([`${versions.old} model`]));
        // Nobody asked for these meanwhile: what the old model said of them is as fresh as before.
        expect(new Set((await ask(60, 80)).map(({ modelVersion, source }) => `${modelVersion} ${source}`))).toEqual(new Set([`${versions.old} cache`]));
    }, 8 * minutes);
});
