import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BatchState, isOpen } from "../../functions/batches/state";
import { within } from "../../functions/within";
import { chaosSeed } from "./disturbances";
import { finalPredictions, isPredictionsFile } from "./game";
import { runSchedule } from "./run-schedule";
import { schedules } from "./schedule";
import type { Snapshot } from "./stores";
import { startWorld, type World } from "./world";

const seed = chaosSeed();
const count = 200;
/** Shorter than what the runner gives a test: one that hangs is to tell how it is repeated, too. */
const longestMs = 55_000;

describe("the cold path under a random schedule", () => {
    let world: World;
    /** What an undisturbed run leaves. */
    let expected: Snapshot;
    beforeAll(async () => {
        console.log(`random schedules: CHAOS_SEED=${seed}`);
        world = await startWorld();
        await runSchedule(world, []);
        expected = await world.stores.snapshot();
        expect(Object.keys(expected.logs)).toHaveLength(5);
        expect(expected.players).toHaveLength(12);
        expect(expected.loads).toHaveLength(3);
        expect(newest(expected)).toHaveLength(2);
        expectPredictions(expected);
        expectBatches(expected, expected);
    });
    afterAll(() => world.stop());

    const all = schedules(seed, count).map((schedule, index) => ({ number: index + 1, schedule }));
    test.each(all)(`schedule $number of ${count} leaves what an undisturbed run leaves`, async ({ number, schedule }) => {
        const repeat = `CHAOS_SEED=${seed} npx vitest run test/chaos/cold-path.test.ts -t "schedule ${number} of"`;
        try {
            await within(longestMs, () => runSchedule(world, schedule));
            const found = await world.stores.snapshot();
            expectPredictions(found);
            expectBatches(found, expected);
            const { players, cache, logs, tables } = found;
            expect({ players, cache, logs, tables }).toEqual({
                players: expected.players,
                cache: expected.cache,
                logs: expected.logs,
                tables: expected.tables,
            });
        } catch (error) {
            throw new Error(`${(error as Error).message}\nrepeat with: ${repeat}\nschedule: ${JSON.stringify(schedule)}`, { cause: error });
        }
    });
});

/**
 * Jobs write under names of their own, and a folder that changed while the cold path was at work may have been scored before as well. So: every
 * file of the last state is there, none is that no state gives, and the ledger has each of them once, but perhaps for those of a job that
 * another one followed, for the same content or, where the folder changed before the next try, for the new one.
 */
function expectPredictions({ predictions, loads, batches }: Snapshot): void {
    const files = Object.keys(predictions).filter((name) => name.endsWith(".csv"));
    const present: Record<string, Set<string>> = {};
    for (const file of files) {
        const [name = "", , ...folder] = file.split("/").reverse();
        const place = folder.reverse().join("/");
        const content = Buffer.from(predictions[file]?.content ?? "", "base64").toString("utf8");
        expect(isPredictionsFile(place, name, content), `${file} is no file of any state: ${content}`).toBe(true);
        const [header, ...rows] = content.trimEnd().split("\n");
        const rejected = rows.filter((row) => row.split(",").length !== header?.split(",").length).length;
        const inLedger = loads.filter((load) => (load as { file: string }).file === file);
        const isLast = ({ outputPath, status }: BatchState): boolean => status !== "superseded" && file.startsWith(`${outputPath}/`);
        if (inLedger.length > 0 || batches.some(isLast)) {
            expect(inLedger).toEqual([{ file, rows: rows.length - rejected, rejected, cache_pending: 0 }]);
            expect(`${file}.rejected.jsonl` in predictions, file).toBe(rejected > 0);
            (present[`${place}/${name}`] ??= new Set()).add(content);
        }
    }
    for (const [folder, outputs] of Object.entries(finalPredictions())) {
        for (const [name, content] of Object.entries(outputs)) {
            expect([...(present[`${folder}/${name}`] ?? [])], `${folder}/${name}`).toContain(content);
        }
    }
    expect(files).toEqual(expect.arrayContaining(loads.map((load) => (load as { file: string }).file)));
}

/** Every folder as it is at last was scored whole and is in the database whole; nothing waits for what it was before. */
function expectBatches(found: Snapshot, expected: Snapshot): void {
    expect(newest(found)).toEqual(newest(expected));
    expect(found.batches.filter(isOpen)).toEqual([]);
}

/** What became of each folder's last content. */
function newest({ batches }: Snapshot): object[] {
    const byFolder = new Map(batches.map((batch) => [batch.folder, batch]));
    return [...byFolder.values()]
        .map(({ folder, status, jobStatus, files, rows, outputFiles, loaded }) => ({
            ...{ folder, status, jobStatus, files, rows, outputFiles },
            loaded: { files: loaded?.files, rows: loaded?.rows },
        }))
        .sort((a, b) => (a.folder < b.folder ? -1 : 1));
}
