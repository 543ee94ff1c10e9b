import path from "node:path";
import type { RunningApp } from "./cloud/web";
import type { DriftOutcome } from "./cold-path";
import { featuresOf, readPlayers } from "./players";
import type { Connections } from "./stack";
import type { Counts } from "./stores";

/** What a game backend would send for the first player of the file. */
export interface SampleCall {
    readonly body: string;
    readonly curl: string;
}

/** The call for one player of the file, ready for a shell. */
export async function sampleCall(app: RunningApp, file: string): Promise<SampleCall> {
    for await (const row of readPlayers(file)) {
        const body = JSON.stringify({ players: [{ playerId: String(row.idx), features: featuresOf(row) }] });
        const url = `${app.url}/api/predictions`;
        return { body, curl: `curl -s ${url} -H 'x-functions-key: ${app.functionKey}' -H 'content-type: application/json' -d '${body.replaceAll("'", "'\\''")}'` };
    }
    throw new Error(`${file} holds no player`);
}

/** Calls the endpoint as the printed command does. */
export async function answerOf(app: RunningApp, body: string): Promise<unknown> {
    const answer = await fetch(`${app.url}/api/predictions`, {
        method: "POST",
        headers: { "x-functions-key": app.functionKey, "content-type": "application/json" },
        body,
    });
    if (!answer.ok) {
        throw new Error(`the endpoint answered ${answer.status}: ${await answer.text()}`);
    }
    return await answer.json();
}

export interface ReportParts {
    readonly connections: Connections;
    readonly players: number;
    readonly counts: Counts;
    readonly drift: DriftOutcome;
    readonly call: SampleCall;
    readonly answer: unknown;
    readonly dir: string;
}

/** What a person wants to see when the stack is up. */
export function report({ connections, players, counts, drift, call, answer, dir }: ReportParts): string {
    const { url, mysql, redis, certificate } = connections;
    const rows: readonly (readonly [string, string | number])[] = [
        ["players of the file, answered for", players],
        ["player files in the lake", counts.logFiles],
        ["prediction files in the lake", counts.predictionFiles],
        ["rows set aside", counts.rejectedRows],
        ["files in the ledger of loads", counts.loadedFiles],
        ["rows in MySQL player_predictions", counts.databaseRows],
        ["players in Redis", counts.cachedPlayers],
    ];
    const table = rows.map(([name, value]) => `  ${name.padEnd(36)}${String(value).padStart(10)}`).join("\n");
    return [
        "",
        table,
        "",
        `  drift      ${driftText(drift)}`,
        `  endpoint   ${url}/api/predictions`,
        `  health     ${url}/api/health`,
        `  MySQL      mariadb -h ${mysql.host} -P ${mysql.port} -u ${mysql.user} -p --ssl-ca=${certificate} ${mysql.database}`,
        `  Redis      redis-cli -h ${redis.host} -p ${redis.port} --tls --cacert ${certificate} --askpass`,
        `  passwords  ${path.join(dir, "connections.json")}`,
        `  logs       ${path.join(dir, "logs")}`,
        "",
        "One player:",
        "",
        call.curl,
        "",
        JSON.stringify(answer, undefined, 2),
        "",
    ].join("\n");
}

function driftText({ outcome, drifted = [], report: kept, reason }: DriftOutcome): string {
    const found = outcome === "drifted" ? `of ${drifted.join(", ")}` : outcome === "steady" ? "none" : (reason ?? outcome);
    return kept === undefined ? found : `${found}; the report is in the lake, ${kept}`;
}
