import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { featuresOf, readPlayers } from "../../local/players";
import { projectDir } from "../../local/parts/paths";
import { ensurePython } from "../../local/parts/python";
import type { Connections } from "../../local/stack";
import { promotionOf } from "../../functions/predict/promotions";
import type { Prediction } from "../../functions/prediction";

const minutes = 60_000;
const players = 2_000;
const dir = mkdtempSync(path.join(tmpdir(), "local-stack-"));

/** Starts the command that the README names, in its own folder. */
function startLocal(...args: string[]): ChildProcess {
    return spawn(process.execPath, ["--import", "tsx", "local/main.ts", "--dir", dir, ...args], { cwd: projectDir, stdio: ["ignore", "pipe", "pipe"] });
}

/** Resolves when a line with this text is printed; rejects with everything printed when the process ends before. */
function printed(child: ChildProcess, text: string): Promise<string> {
    const lines: string[] = [];
    return new Promise((resolve, reject) => {
        for (const stream of [child.stdout, child.stderr]) {
            if (stream !== null) {
                createInterface({ input: stream }).on("line", (line) => {
                    lines.push(line);
                    if (line.includes(text)) {
                        resolve(lines.join("\n"));
                    }
                });
            }
        }
        child.once("close", (code) => reject(new Error(`ended with ${code} before "${text}":\n${lines.join("\n")}`)));
    });
}

function ended(child: ChildProcess): Promise<number | null> {
    return child.exitCode !== null || child.signalCode !== null ? Promise.resolve(child.exitCode) : new Promise((resolve) => child.once("close", resolve));
}

/** Pids of processes whose command line mentions the stack's folder. */
function processesOf(folder: string): number[] {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
        .filter((pid) => {
            try {
                return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
            } catch {
                return false;
            }
        })
        .map(Number);
}

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
        stack = startLocal();
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
        const again = startLocal("--once");
        await printed(again, "the endpoint answers");
        expect(await ended(again)).toBe(0);
        expect(processesOf(dir)).toEqual([]);
        expect(readdirSync(path.join(dir, "run")).filter((name) => name.endsWith(".json"))).toEqual([]);
    }, 4 * minutes);
});
