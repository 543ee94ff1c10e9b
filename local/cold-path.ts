import { createReadStream, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { RunningApp } from "./cloud/web";
import type { Studio } from "./cloud/studio";
import { readPlayers } from "./players";
import type { Counts, Stores } from "./stores";

/** The cold path did not come to its end; the message says where it stands and where to look. */
export class ColdPathError extends Error {
    override readonly name = "ColdPathError";
}

/** Without any progress for this long, the cold path counts as stuck. */
const stuckAfterMs = 120_000;

/** Puts a player file where the studio puts the day's logs. @returns the object's key */
export async function uploadPlayers(studio: Studio, file: string, today: Date): Promise<string> {
    const extension = path.basename(file).replace(/^[^.]*/, "");
    const key = `players/dt=${today.toISOString().slice(0, 10)}/part-0000${extension}`;
    await studio.s3.send(
        new PutObjectCommand({ Bucket: studio.bucket, Key: key, Body: createReadStream(file), ContentLength: statSync(file).size }),
    );
    return key;
}

/** Fires a timer, as a person can do on Azure. */
export async function fireTimer(app: RunningApp, name: "ingest" | "drift"): Promise<void> {
    const answer = await fetch(`${app.url}/admin/functions/${name}`, {
        method: "POST",
        headers: { "x-functions-key": app.masterKey, "content-type": "application/json" },
        body: "{}",
    });
    if (answer.status !== 202) {
        throw new ColdPathError(`the timer ${name} could not be fired: ${answer.status} ${await answer.text()}; see ${app.logFile}`);
    }
}

/**
 * Waits until every player of the file is in the database and in Redis, less those whose rows were set aside.
 * @throws ColdPathError when a message was poisoned, or nothing moved for two minutes
 */
export async function waitForPlayers(file: string, stores: Stores, app: RunningApp): Promise<{ readonly players: number; readonly counts: Counts }> {
    const expected = new Set<string>();
    for await (const row of readPlayers(file)) {
        expected.add(String(row.idx));
    }
    let last = "";
    let movedAt = performance.now();
    for (;;) {
        const counts = await stores.counts();
        const missing = await missingPlayers(expected, stores);
        if (missing.length <= counts.rejectedRows) {
            return { players: expected.size - missing.length, counts };
        }
        const where = JSON.stringify(counts);
        if (Object.values(counts.poison).some((messages) => messages > 0)) {
            throw new ColdPathError(`a message failed too often: ${where}${errorsOf(app)}`);
        }
        if (where !== last) {
            last = where;
            movedAt = performance.now();
        }
        if (performance.now() - movedAt > stuckAfterMs) {
            throw new ColdPathError(
                `${missing.length} of ${expected.size} players are missing, such as ${missing.slice(0, 3).join(", ")}, and nothing moves: ${where}${errorsOf(app)}`,
            );
        }
        await sleep(500);
    }
}

/** What a run of `drift` says at its end. */
export interface DriftOutcome {
    readonly outcome: string;
    readonly drifted?: readonly string[];
    /** Where the lake has the report. */
    readonly report?: string;
    /** Why there is none. */
    readonly reason?: string;
}

/**
 * Has the players that were scored last compared with those of the training, once their batch has come to its end.
 * @throws ColdPathError when that takes longer than two minutes, or the run failed
 */
export async function compareWithTraining(app: RunningApp): Promise<DriftOutcome> {
    await untilDone(`the newest batch does not end; ask ${app.url}/api/batches`, app, async () => {
        const answer = await fetch(`${app.url}/api/batches?limit=1`, { headers: { "x-functions-key": app.functionKey } });
        const { batches } = (await answer.json()) as { readonly batches: readonly { readonly status: string }[] };
        return batches.some(({ status }) => ["completed", "poisoned", "superseded"].includes(status)) || undefined;
    });
    const logged = readFileSync(app.logFile, "utf8").length;
    await fireTimer(app, "drift");
    return untilDone("the timer drift was fired, and nothing came of it", app, () => driftLine(readFileSync(app.logFile, "utf8").slice(logged)));
}

/** The run's last word in a piece of the log; undefined while it works. */
function driftLine(log: string): DriftOutcome | undefined {
    const [, failure] = /^\S+ error drift \S+ (.*)\n/m.exec(log) ?? [];
    if (failure !== undefined) {
        throw new ColdPathError(`the timer drift failed: ${failure}`);
    }
    const [, outcome] = /^\S+ information drift \S+ (\{"event":"drift".*)\n/m.exec(log) ?? [];
    return outcome === undefined ? undefined : (JSON.parse(outcome) as DriftOutcome);
}

async function untilDone<T>(otherwise: string, app: RunningApp, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const until = performance.now() + stuckAfterMs;
    for (;;) {
        const done = await ask();
        if (done !== undefined) {
            return done;
        }
        if (performance.now() > until) {
            throw new ColdPathError(`${otherwise}${errorsOf(app)}`);
        }
        await sleep(500);
    }
}

/** The last errors that the handlers logged, which mostly say why. */
function errorsOf({ logFile }: RunningApp): string {
    const errors = readFileSync(logFile, "utf8")
        .split("\n")
        .filter((line) => line.split(" ")[1] === "error");
    return `; see ${logFile}\n${errors.slice(-3).join("\n")}`;
}

async function missingPlayers(expected: ReadonlySet<string>, stores: Stores): Promise<string[]> {
    const [stored, cached] = await Promise.all([stores.storedPlayers(), stores.cachedPlayers()]);
    return [...expected].filter((id) => !stored.has(id) || !cached.has(id));
}
