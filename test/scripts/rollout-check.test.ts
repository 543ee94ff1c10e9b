import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RecordedRequest, recordedRequestSchema, recording } from "../../functions/predict/recorded-requests";
import { projectDir } from "../../local/parts/paths";
import { ensurePython } from "../../local/parts/python";
import { run } from "../../local/parts/run";
import { openWorkshop, type Workshop } from "../../local/parts/workshop";
import { featuresOf, type PlayerRow, readPlayers } from "../../local/players";
import { replay } from "../../scripts/rollout-replay";
import { judge, type Limits } from "../../scripts/rollout-verdict";
import { type Deployments, type Fault, serveDeployments, serveFaulty, serveModel } from "./deployments";

const dir = mkdtempSync(path.join(tmpdir(), "rollout-"));
const recordings = path.join(dir, "recordings");
const stackFile = path.join(dir, "stack.json");
const requests: RecordedRequest[] = [];
const versions = { old: "", new: "" };
let workshop: Workshop;
let deployments: Deployments;
let setFault: (fault: Fault) => void;

/** Trains on players, so that two seeds give two models of the same. @returns the folder */
async function train(players: string, seed: number): Promise<string> {
    const folder = path.join(dir, `model-${seed}`);
    const args = ["ml/train.py", "--data", players, "--out", folder, "--seed", String(seed), "--no-report", "--accept"];
    expect(await run(await ensurePython(), args, { cwd: projectDir })).toMatchObject({ exitCode: 0 });
    return folder;
}

function versionOf(folder: string): string {
    return (JSON.parse(readFileSync(path.join(folder, "model.json"), "utf8")) as { readonly version: string }).version;
}

/** Has calls of 1 to 20 players recorded, as the handlers do, and written where the command reads them. */
async function recordRequests(players: string): Promise<void> {
    const model = recording({ predict: () => Promise.resolve({ predictions: [], errors: [] }) }, { log: { add: (request) => void requests.push(request) }, percent: 100, now: () => Date.parse("2026-01-31T12:00:00Z") });
    const rows: PlayerRow[] = [];
    for await (const row of readPlayers(players)) {
        rows.push(row);
    }
    for (let start = 0, size = 1; start + size <= rows.length && size <= 20; start += size, size += 1) {
        await model.predict(rows.slice(start, start + size).map((row) => ({ playerId: String(row.idx), features: featuresOf(row) })), { deadline: 0 });
    }
    mkdirSync(path.join(recordings, "2026-01-31"), { recursive: true });
    writeFileSync(path.join(recordings, "2026-01-31", "process.jsonl"), requests.map((request) => `${JSON.stringify(request)}\n`).join(""));
}

beforeAll(async () => {
    const players = path.join(dir, "players.csv");
    expect(await run(await ensurePython(), ["ml/sample.py", "--rows", "1000", "--seed", "1", "--out", players], { cwd: projectDir })).toMatchObject({ exitCode: 0 });
    const [oldFolder, newFolder] = [await train(players, 1), await train(players, 2)];
    Object.assign(versions, { old: versionOf(oldFolder), new: versionOf(newFolder) });
    await recordRequests(players);
    workshop = await openWorkshop(path.join(dir, "workshop"));
    const faulty = await serveFaulty(workshop, newFolder);
    setFault = faulty.set;
    const servers = { mold: await serveModel(workshop, "old", oldFolder), mnew: await serveModel(workshop, "new", newFolder), mfaulty: faulty.url };
    deployments = await serveDeployments(workshop, servers);
    const onlineDeployments = { [versions.old]: "mold", [versions.new]: "mnew", gone: "mgone", faulty: "mfaulty" };
    writeFileSync(stackFile, JSON.stringify({ onlineScoringUri: deployments.scoringUri, modelVersion: versions.old, onlineDeployments, functionKey: "[secret]" }));
}, 600_000);

afterAll(async () => {
    await workshop?.stop();
    rmSync(dir, { recursive: true, force: true });
});

describe("what is recorded of a call", () => {
    test("is the features of its players and nothing that says who they are", () => {
        expect(requests.map(({ players }) => players.length)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
        expect(requests.every((request) => recordedRequestSchema.safeParse(request).success)).toBe(true);
        expect(Object.keys(requests[0] ?? {})).toEqual(["at", "players"]);
        expect(JSON.stringify(requests)).not.toMatch(/"(playerId|idx|churn_YN|identity)"/);
    });

    test("is taken for the share of the calls that is asked for, and changes none of them", async () => {
        let recorded = 0;
        const draws = [0, 0.049, 0.05, 0.99];
        const model = recording({ predict: () => Promise.reject(new Error("down")) }, { log: { add: () => void (recorded += 1) }, percent: 5, now: Date.now, random: () => draws.shift() ?? 1 });
        for (let i = 0; i < 4; i += 1) {
            await expect(model.predict([{ playerId: "1", features: { age: 39 } }], { deadline: 0 })).rejects.toThrow("down");
        }
        expect(recorded).toBe(2);
    });
});

// Times are those of a machine that does other things as well: only what is slower by seconds is slow here.
// Two models of few players are far apart.
const limits: Limits = { labels: 0.5, psi: 3, slower: 50 };

describe("a candidate", () => {
    /** What the checks refuse, by their names. */
    async function refusals(deployment: string, change: Partial<Limits> = {}, most = 20): Promise<Record<string, string>> {
        const models = { live: deployments.endpoint("mold"), candidate: deployments.endpoint(deployment) };
        const exchanges = await replay(requests.slice(0, most), models);
        const checks = judge(exchanges, { deployment: "mold", modelVersion: versions.old }, { deployment, modelVersion: versions.new }, { ...limits, ...change });
        return Object.fromEntries(checks.flatMap(({ what, refusal }) => (refusal === undefined ? [] : [[what, refusal]])));
    }

    test("that answers as the model in service does passes, within the limits that are given", async () => {
        expect(await refusals("mnew")).toEqual({});
        expect(await refusals("mnew", { labels: 1e-9, psi: 1e-9 })).toMatchObject({ "churn probability, mean": expect.stringMatching(/^PSI is 0\.\d+$/) as string });
    });

    test.each<[Fault, string, RegExp]>([
        ["raises", "requests without an answer", /^3 that the other answers, the first: the online endpoint answered 424: .*error occurred in scoring script/],
        ["nan", "answers that are wrong", /^3 that the other answers, the first: the model's answer is not JSON/],
        ["lacks-one", "answers that are wrong", /^3 that the other answers, the first: the model's answer lacks 1 of 1 players/],
        ["refuses-one", "players refused", /^3 that the other predicts, the first: features\.age is 200, expected less$/],
        ["version", "model version", /^mfaulty answers as another$/],
        ["upside-down", "churn label yes", /^another for 100\.00 % of the players$/],
    ])("that %s is refused for its %s", async (fault, what, reason) => {
        setFault(fault);
        expect(await refusals("mfaulty", {}, 3)).toMatchObject({ [what]: expect.stringMatching(reason) as string });
    });

    test("that is slower is refused for its calls' times", async () => {
        setFault("slow");
        expect(Object.keys(await refusals("mfaulty", { slower: 0.001 }, 3))).toEqual(["call ms p50", "call ms p99"]);
    });

    test("that is not there is refused, and nobody is compared", async () => {
        expect(await refusals("mgone", {}, 3)).toMatchObject({
            "requests without an answer": expect.stringContaining("404") as string,
            "players predicted": "there is nobody to compare",
        });
    });

    test("may fail where the model in service does", async () => {
        setFault("raises");
        const models = { live: deployments.endpoint("mfaulty"), candidate: deployments.endpoint("mfaulty") };
        const named = { deployment: "mfaulty", modelVersion: versions.new };
        const checks = judge(await replay(requests.slice(0, 2), models), named, named, limits);
        expect(checks.filter(({ refusal }) => refusal !== undefined).map(({ what }) => what)).toEqual(["players predicted"]);
    });
});

describe("npm run rollout-check", () => {
    const check = (args: readonly string[], env = deployments.signedIn) =>
        run(process.execPath, ["--import", "tsx", "scripts/rollout-check.ts", ...args], { cwd: projectDir, env });

    test("exits 0 with both models side by side and a table of the checks", async () => {
        const { exitCode, output } = await check([recordings, versions.new, "--stack", stackFile, "--slower", "50", "--labels", "0.5", "--psi", "3"]);
        expect(output).toMatch(/^model +mold +mnew$/m);
        expect(output).toContain("of 210 players with predictions of both:");
        expect(output).toMatch(/^ {2}requests without an answer +0 of 20 +0 of 20 /m);
        expect(output).toMatch(/^ {2}call ms p99 +\d+\.\d +\d+\.\d /m);
        expect(output).toContain(`${versions.new} may take the place of ${versions.old}`);
        expect(exitCode).toBe(0);
    });

    test("exits 3 with the reasons, in JSON if asked", async () => {
        setFault("version");
        const { exitCode, output } = await check([recordings, "faulty", "--stack", stackFile, "--slower", "50", "--most", "2", "--json"]);
        expect(JSON.parse(output)).toMatchObject({ passed: false, checks: expect.arrayContaining([expect.objectContaining({ what: "model version", refusal: "mfaulty answers as another" })]) as unknown });
        expect(exitCode).toBe(3);
    });

    test("exits 2 with one line that says what was expected", async () => {
        const wrong = path.join(dir, "wrong.json");
        writeFileSync(wrong, '{"onlineScoringUri":"https://x.test/score","modelVersion":"a"}');
        const empty = path.join(dir, "empty");
        mkdirSync(empty);
        const cases: readonly (readonly [args: readonly string[], message: string])[] = [
            [[recordings, versions.new, "--stack", path.join(dir, "none.json")], "none.json: expected what pulumi stack output --json prints: ENOENT"],
            [[recordings, versions.new, "--stack", wrong], "wrong.json: expected what pulumi stack output --json prints: onlineDeployments"],
            [[recordings, "unknown", "--stack", stackFile], `no deployment has model unknown, there are ${versions.old}`],
            [[recordings, versions.old, "--stack", stackFile], `${versions.old} is the model in service`],
            [[recordings, versions.new, "--stack", stackFile, "--psi", "low"], '--psi is "low", expected a number above 0'],
            [[empty, versions.new, "--stack", stackFile], "there are no recorded requests: player-predictions:recordPercent has some recorded"],
            [[wrong, versions.new, "--stack", stackFile], "wrong.json:1: no recorded request"],
        ];
        const outputs = await Promise.all(cases.map(([args]) => check(args)));
        expect(outputs.map(({ exitCode }) => exitCode)).toEqual(cases.map(() => 2));
        outputs.forEach(({ output }, i) => {
            expect(output).toMatch(/^rollout-check: [^\n]+\n?$/);
            expect(output).toContain(cases[i]?.[1]);
        });
        const stranger = { ...deployments.signedIn, AZURE_CLIENT_ID: "33333333-3333-4333-8333-333333333333" };
        expect(await check([recordings, versions.new, "--stack", stackFile], stranger)).toMatchObject({ exitCode: 2, output: expect.stringMatching(/^rollout-check: no token for the online endpoint: [^\n]+\n?$/) as string });
    }, 180_000);
});
