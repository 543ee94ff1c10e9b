import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Redis } from "ioredis";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { featuresOf, readPlayers } from "../../local/players";
import { projectDir } from "../../local/parts/paths";
import { ensurePython } from "../../local/parts/python";
import type { Connections } from "../../local/stack";
import { promotionOf } from "../../functions/predict/promotions";
import type { Prediction } from "../../functions/prediction";
import { ended, printed, processesOf, result, startLocal } from "./command";

const minutes = 60_000;
const players = 2_000;
const dir = mkdtempSync(path.join(tmpdir(), "local-stack-"));

function connections(): Connections {
    return JSON.parse(readFileSync(path.join(dir, "connections.json"), "utf8")) as Connections;
}

/** What the model says when `score.py` is called without any server, in the order of the file. */
async function modelAnswers(request: object): Promise<readonly Omit<Prediction, "scoredAt">[]> {
    const script = "import json, sys, score; score.init(); a = score.run(sys.stdin.read()); print(json.dumps(a) if isinstance(a, dict) else a)";
    const child = spawn(await ensurePython(), ["-c", script], {
        cwd: path.join(projectDir, "ml"),
        env: { ...process.env, AZUREML_MODEL_DIR: path.join(projectDir, ".local", "model") },
    });
    child.stdin.end(JSON.stringify(request));
    const [output, errors] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
    const text = Buffer.concat(output as Buffer[]).toString();
    if (text === "") {
        throw new Error(Buffer.concat(errors as Buffer[]).toString());
    }
    const answer = JSON.parse(text) as { modelVersion: string; predictions: Omit<Prediction, "scoredAt" | "modelVersion">[] };
    return answer.predictions.map((prediction) => ({ ...prediction, modelVersion: answer.modelVersion }));
}

/** A row of `player_predictions` in the words of the endpoint. */
function predictionOf(row: mysql.RowDataPacket | undefined): Omit<Prediction, "scoredAt"> {
    return {
        playerId: String(row?.player_id),
        churn: { label: Boolean(row?.churn_label), probability: Number(row?.churn_probability) },
        purchase: { label: Boolean(row?.purchase_label), probability: Number(row?.purchase_probability) },
        segment: { id: Number(row?.segment_id), name: String(row?.segment_name) },
        modelVersion: String(row?.model_version),
    };
}

afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
});

describe("npm run local", () => {
    let stack: ChildProcess;
    let output: string;

    beforeAll(async () => {
        stack = startLocal(dir);
        output = await printed(stack, "Up until Ctrl-C");
    }, 8 * minutes);

    afterAll(async () => {
        stack.kill("SIGINT");
        await ended(stack);
    }, minutes);

    test("says what is where and gives a ready curl", () => {
        expect(output).toMatch(new RegExp(`rows in MySQL player_predictions\\s+${players}\\b`));
        expect(output).toMatch(new RegExp(`players in Redis\\s+${players}\\b`));
        expect(output).toMatch(/prediction files in the lake\s+1\b/);
        expect(output).toContain("curl -s http://127.0.0.1:");
        expect(output).toMatch(/drift\s+none; the report is in the lake, runs\/drift\/\d{4}-\d\d-\d\d\.json/);
    });

    test("every player is exactly once in MySQL and in Redis, with the model's own numbers, and answered with them", async () => {
        const { url, functionKey, mysql: database, redis, certificate } = connections();
        const tls = { ca: readFileSync(certificate) };
        const requests: { playerId: string; features: Record<string, string | number> }[] = [];
        for await (const row of readPlayers(path.join(dir, "sample.csv"))) {
            requests.push({ playerId: String(row.idx), features: featuresOf(row) });
        }
        expect(requests).toHaveLength(players);
        const expected = await modelAnswers({ players: requests });

        const connection = await mysql.createConnection({ ...database, ssl: tls });
        const [rows] = await connection.query<mysql.RowDataPacket[]>("SELECT * FROM player_predictions");
        await connection.end();
        const stored = new Map(rows.map((row) => [String(row.player_id), row]));
        expect(stored.size).toBe(rows.length);
        expect(requests.map(({ playerId }) => predictionOf(stored.get(playerId)))).toEqual(expected);

        const cache = new Redis({ ...redis, tls });
        const keys = await cache.keys("p:*");
        cache.disconnect();
        expect(new Set(keys)).toEqual(new Set(requests.map(({ playerId }) => `p:${playerId}`)));

        for (const [options, source] of [
            [{}, "cache"],
            [{ maxAgeSeconds: 0 }, "model"],
        ] as const) {
            const answers: (Prediction & { source: string })[] = [];
            for (let start = 0; start < players; start += 500) {
                const answer = await fetch(`${url}/api/predictions`, {
                    method: "POST",
                    headers: { "content-type": "application/json", "x-functions-key": functionKey },
                    body: JSON.stringify({ players: requests.slice(start, start + 500), ...options }),
                });
                expect(answer.status).toBe(200);
                const body = (await answer.json()) as { predictions: (Prediction & { source: string })[]; errors: unknown[] };
                expect(body.errors).toEqual([]);
                answers.push(...body.predictions);
            }
            expect(answers).toEqual(expected.map((each) => ({ ...each, promotion: promotionOf(each.segment.name), source, scoredAt: expect.any(String) as string })));
        }
    }, 2 * minutes);

    test("every dependency is up", async () => {
        const answer = await fetch(`${connections().url}/api/health`);
        expect([answer.status, await answer.text()]).toEqual([200, expect.not.stringContaining("down")]);
    });

    test("a person has the models trained again: the job's candidate is in the lake, and the handlers tell of it", async () => {
        const { url, masterKey } = connections();
        const fired = await fetch(`${url}/admin/functions/retrain`, { method: "POST", headers: { "x-functions-key": masterKey } });
        expect(fired.status).toBe(202);
        const log = () => readFileSync(path.join(dir, "logs", "host.log"), "utf8");
        await expect.poll(log, { timeout: 4 * minutes, interval: 500 }).toMatch(/"event":"retrain","step":"ended"/);
        expect(log()).toMatch(/"event":"retrain","folder":"players","files":1,"outcome":"submitted","job":"retrain-[0-9a-f]{16}"/);
        expect(log()).toMatch(/"step":"ended","job":"retrain-[0-9a-f]{16}","outcome":"candidate","status":"Completed","folder":"models\/candidates\/retrain-/);
    }, 5 * minutes);

    test("killed outright, the next run ends what it left, follows the same players again and exits by itself", async () => {
        stack.kill("SIGKILL");
        await ended(stack);
        expect(processesOf(dir).length).toBeGreaterThan(0);
        const again = startLocal(dir, ["--once"]);
        await printed(again, "the endpoint answers");
        expect(await ended(again)).toBe(0);
        expect(processesOf(dir)).toEqual([]);
        expect(readdirSync(path.join(dir, "run")).filter((name) => name.endsWith(".json"))).toEqual([]);
    }, 4 * minutes);
});

describe("npm run local -- --engine", () => {
    const engineDir = mkdtempSync(path.join(tmpdir(), "local-engine-"));

    afterAll(() => {
        rmSync(engineDir, { recursive: true, force: true });
    });

    test("brings the same stack up, of which nothing is to change then, and takes it down again", async () => {
        const up = await result(startLocal(engineDir, ["--engine", "--once"]));
        expect(up).toEqual({ code: 0, output: expect.stringMatching(/Resources:\n +\+ \d+ created[\s\S]*the endpoint answers/) as string });
        for (const again of [["--preview", "--expect-no-changes"], ["--refresh", "--expect-no-changes"]]) {
            expect(await result(startLocal(engineDir, again))).toEqual({ code: 0, output: expect.stringMatching(/Resources:\n +\d+ unchanged/) as string });
        }
        expect(existsSync(path.join(engineDir, "connections.json"))).toBe(true);
        const down = await result(startLocal(engineDir, ["--destroy"]));
        expect(down).toEqual({ code: 0, output: expect.stringMatching(/Resources:\n +- \d+ deleted/) as string });
        expect(existsSync(path.join(engineDir, "connections.json"))).toBe(false);
        expect(processesOf(engineDir)).toEqual([]);
        const gone = await result(startLocal(engineDir, ["--preview", "--expect-no-changes"]));
        expect(gone.code).toBe(1);
        expect(gone.output).toMatch(/create azure-native:storage:StorageAccount "playerslake"/);
    }, 8 * minutes);

    test.each([
        [["--preview", "--destroy"], "error: option '--preview' cannot be used with option '--destroy'"],
        [["--refresh", "--preview"], "error: option '--preview' cannot be used with option '--refresh'"],
        [["--destroy", "--expect-no-changes"], "error: option '--expect-no-changes' cannot be used with option '--destroy'"],
        [["--engin"], "error: unknown option '--engin'\n(Did you mean --engine?)"],
    ])("refuses %j", async (args, message) => {
        expect(await result(startLocal(engineDir, args))).toEqual({ code: 1, output: `${message}\n` });
    });

    test.each([["--engine"], ["--preview"], ["--destroy"]])("%s says how to get a CLI that is missing, before it starts anything", async (flag) => {
        const nowhere = mkdtempSync(path.join(tmpdir(), "local-no-cli-"));
        const missing = startLocal(path.join(nowhere, "stack"), [flag], { PATH: nowhere, XDG_CACHE_HOME: nowhere });
        expect(await result(missing)).toEqual({
            code: 1,
            output: "\nthe Pulumi CLI is missing: build it with scripts/pulumi-cli.sh (needs Go, about five minutes), or put one of version 3.274 on the PATH\n",
        });
        rmSync(nowhere, { recursive: true });
    });
});
