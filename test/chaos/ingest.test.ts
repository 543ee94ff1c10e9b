import fc from "fast-check";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chaosSeed, finish, kill, killAfter, restartAfter, spread } from "./disturbances";
import type { Order, Outcome } from "./orders";
import type { SourceObject } from "./source";
import type { BlobState, Snapshot } from "./stores";
import { startWorld, type World } from "./world";

const kept: Record<string, SourceObject> = {
    "players/dt=2026-01-30/part-0.csv": { body: "kept", contentType: "text/csv", metadata: { origin: "game" } },
    "players/dt=2026-01-30/part-1.csv": { body: "" },
};
/** The bucket as it was, and as it is when the disturbed run begins. */
const before: Record<string, SourceObject> = {
    ...kept,
    "players/dt=2026-01-31/한국 + 100% #1.csv": { body: "old" },
    "players/dt=2026-01-31/part-1.csv": { body: "stays" },
};
const after: Record<string, SourceObject> = {
    ...kept,
    "players/dt=2026-01-31/한국 + 100% #1.csv": { body: "new, and longer", contentType: "text/csv; charset=utf-8" },
    "players/dt=2026-01-31/part-1.csv": { body: "stays" },
    "players/dt=2026-02-01/part-0.jsonl.gz": { body: gzipSync("{}\n").toString("latin1"), contentEncoding: "gzip" },
    "players/dt=2026-02-01/part-1.csv": { body: "x".repeat(300_000) },
    "players/dt=2026-02-01/deep/part-2.csv": { body: "deep", encryption: "aws:kms" },
    "players/beside.csv": { body: "beside" },
};
/** Larger than a block, under a name that the lake's service does not read. */
const large = { "players/dt=2026-02-01/a+b.csv": { body: "0123456789abcdef".repeat(9 * 2 ** 16) } };
const ingest: Order = { work: "ingest" };

describe("ingest", () => {
    let world: World;
    /** What undisturbed runs leave: of the first state of the bucket, and of the second after the first. */
    let expected: { readonly before: Snapshot; readonly after: Snapshot };
    /** The runs that bring the second state over: to an empty lake, and to one that has the first. */
    let undisturbed: { readonly first: Outcome; readonly second: Outcome };

    beforeAll(async () => {
        world = await startWorld();
        await prepared(true);
        const first = await finish(world, ingest);
        const fromNothing = await world.stores.snapshot();
        await prepared(false);
        expected = { before: await world.stores.snapshot(), after: fromNothing };
        const second = await finish(world, ingest);
        undisturbed = { first, second };
        expect(await world.stores.snapshot()).toEqual(fromNothing);
        expect(Object.keys(fromNothing.logs).sort()).toEqual(
            [
                ...Object.keys(after),
                ...["players", "players/dt=2026-01-30", "players/dt=2026-01-31", "players/dt=2026-02-01", "players/dt=2026-02-01/deep"].map(
                    (folder) => `${folder}/_SUCCESS`,
                ),
            ].sort(),
        );
    });
    afterAll(() => world.stop());

    /** Brings the lake to where a run begins: empty, or with the bucket's first state. */
    async function prepared(empty: boolean): Promise<Order> {
        await world.clear();
        if (!empty) {
            await world.source.put(before);
            await finish(world, ingest);
        }
        await world.source.put(after);
        return ingest;
    }

    /** Whatever a run left half-done: a blob is whole, and a folder with a marker has all of one state of the bucket. */
    async function expectNothingHalf(): Promise<void> {
        const left = await world.stores.blobs("logs");
        const [old, new_] = [expected.before.logs, expected.after.logs];
        for (const [name, blob] of Object.entries(left)) {
            expect([old[name], new_[name]], name).toContainEqual(blob);
        }
        for (const marker of Object.keys(left).filter((name) => name.endsWith("/_SUCCESS"))) {
            const folder = marker.slice(0, -"_SUCCESS".length);
            expect([inFolder(old, folder), inFolder(new_, folder)], folder).toContainEqual(inFolder(left, folder));
        }
    }

    test.each(spread(24).map((share, index) => ({ share, empty: index % 2 === 0 })))(
        "killed after $share % of its outside calls, is finished by the next run",
        async ({ share, empty }) => {
            await killAfter(world, share, empty ? undisturbed.first : undisturbed.second, () => prepared(empty));
            await expectNothingHalf();
            await finish(world, ingest);
            expect(await world.stores.snapshot()).toEqual(expected.after);
        },
    );

    test("killed at each step that it tells of, is finished by the next run", async () => {
        expect(undisturbed.second.steps).toEqual(
            expect.arrayContaining(["lease", "listing", "copy-start", "staged", "verified", "committed", "marker", "summary: complete"].map((step) => `ingest:${step}`)),
        );
        for (const step of new Set(undisturbed.second.steps)) {
            expect(await kill(world, await prepared(false), { step }), step).toBe("killed");
            await expectNothingHalf();
            await finish(world, ingest);
            expect(await world.stores.snapshot(), step).toEqual(expected.after);
        }
    });

    test.each(["staged", "verified", "committed"].map((step) => `ingest:${step}`))("killed at %s of blocks that went through the process, is finished by the next run", async (step) => {
        await world.clear();
        await world.source.put(large);
        expect(await kill(world, ingest, { step })).toBe("killed");
        const left = Object.keys(await world.stores.blobs("logs"));
        expect(left).toEqual(step === "ingest:committed" ? Object.keys(large) : []);
        expect((await finish(world, ingest)).steps).toContain("ingest:marker");
        const [blob] = Object.values(await world.stores.blobs("logs")).filter(({ content }) => content !== "");
        expect(Buffer.from(blob?.content ?? "", "base64").toString("latin1") === Object.values(large)[0]?.body).toBe(true);
    });

    test("killed again and again on its way, comes to its end", async () => {
        const seed = chaosSeed();
        for (const shares of fc.sample(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 3, maxLength: 3 }), { numRuns: 3, seed })) {
            await prepared(false);
            for (const share of shares) {
                await kill(world, ingest, { call: Math.ceil((undisturbed.second.calls * share) / 100) });
                await expectNothingHalf();
            }
            await finish(world, ingest);
            expect(await world.stores.snapshot(), `shares ${shares.join()} of CHAOS_SEED=${seed}`).toEqual(expected.after);
        }
    });

    test("three times, two of them at once, leaves what it leaves once", async () => {
        await prepared(false);
        await Promise.all([finish(world, ingest), finish(world, ingest)]);
        await finish(world, ingest);
        expect(await world.stores.snapshot()).toEqual(expected.after);
        world.takeEvents();
        await finish(world, ingest);
        // Nothing is new, so no folder is announced again.
        expect(world.takeEvents().filter(({ container }) => container === "logs")).toEqual([]);
    });

    const restarts = (["lake", "source"] as const).flatMap((server) => [25, 50, 75].map((share) => ({ server, share })));
    test.each(restarts)("while the $server restarts after $share % of its outside calls, loses nothing", async ({ server, share }) => {
        await restartAfter(world, server, share, undisturbed.second, () => prepared(false));
        await expectNothingHalf();
        await finish(world, ingest);
        expect(await world.stores.snapshot()).toEqual(expected.after);
    });
});

function inFolder(blobs: Readonly<Record<string, BlobState>>, folder: string): [string, BlobState][] {
    return Object.entries(blobs)
        .filter(([name]) => name.startsWith(folder) && !name.slice(folder.length).includes("/") && !name.endsWith("/_SUCCESS"))
        .sort(([a], [b]) => (a < b ? -1 : 1));
}
