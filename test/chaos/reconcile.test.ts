import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JobEnd } from "./batch-jobs";
import { completeFolder, leftAtLast } from "./batches";
import { Deliveries } from "./deliveries";
import { chaosSeed, finish, kill, killAfter, restartAfter, spread } from "./disturbances";
import type { Order, Outcome } from "./orders";
import { startWorld, type World } from "./world";

/** Folders with how their first job ends; the job of the last was started by a process that was killed before it wrote that down. */
const ends: Readonly<Record<string, JobEnd>> = {
    "players/completed": "Completed",
    "players/failed": "Failed",
    "players/canceled": "Canceled",
    "players/unknown": "Completed",
};
const unknown = "players/unknown";
const folders = Object.keys(ends);

describe("following the batches", () => {
    let world: World;
    let deliveries: Deliveries;
    beforeAll(async () => {
        world = await startWorld();
    });
    afterAll(() => world.stop());

    /**
     * Brings the world to where the jobs of some folders have ended, and all word of it is lost.
     *
     * @returns the events of the jobs, as they would have come, in the order of the folders
     */
    async function jobsEnded(of: readonly string[] = folders): Promise<readonly Order[]> {
        await world.clear();
        deliveries = new Deliveries(world);
        for (const folder of of) {
            await completeFolder(world, folder);
        }
        deliveries.take();
        for (const order of deliveries.waiting.splice(0)) {
            const ofUnknown = JSON.stringify(order.message).includes(unknown);
            const ending = ofUnknown ? await kill(world, order, { step: "score: submitted" }) : await deliveries.invoke(order);
            expect(ending).toEqual(ofUnknown ? "killed" : expect.objectContaining({ steps: expect.arrayContaining(["score: submitted"]) as string[] }));
        }
        await world.jobs.run((folder) => ends[folder] ?? "Completed");
        deliveries.take();
        return deliveries.waiting.splice(0).filter(({ work }) => work === "jobs");
    }

    const end = () => leftAtLast(world, deliveries, true);

    describe("by the timer", () => {
        /** Later than the processes that started jobs can be at it. */
        const reconcile: Order = { work: "reconcile", aheadMs: 10 * 60_000 };
        let expected: object;
        let undisturbed: Outcome;
        beforeAll(async () => {
            await jobsEnded();
            undisturbed = await finish(world, reconcile);
            expected = await end();
            expect(expected).toMatchObject({
                players: { length: 12 },
                batches: [1, 2, 2, 2].map(() => ({ status: "completed", files: 2, rows: { in: 4, scored: 4 }, outputFiles: 2, loaded: { files: 2, rows: 3 } })),
            });
        });

        async function prepared(): Promise<Order> {
            await jobsEnded();
            return reconcile;
        }

        const shares = spread(24).map((share) => ({ share }));
        test.each(shares)("killed after $share % of its outside calls, is finished by the next run", async ({ share }) => {
            await killAfter(world, share, undisturbed, prepared);
            expect(await end()).toEqual(expected);
        });

        test("killed at each step that it tells of, is finished by the next run", { timeout: 180_000 }, async () => {
            expect(undisturbed.steps).toEqual(expect.arrayContaining(["reconcile: asked", "reconcile: moved", "reconcile: queued"]));
            for (const step of new Set(undisturbed.steps)) {
                expect(await kill(world, await prepared(), { step }), step).toBe("killed");
                expect(await end(), step).toEqual(expected);
            }
        });

        test("three times, two of them at once, leaves what it leaves once", async () => {
            await prepared();
            await Promise.all([finish(world, reconcile), finish(world, reconcile)]);
            await finish(world, reconcile);
            expect(await end()).toEqual(expected);
        });

        const restarts = (["lake", "database", "batch endpoint"] as const).flatMap((server) => [30, 60, 90].map((share) => ({ server, share })));
        test.each(restarts)("while the $server restarts after $share % of its outside calls, loses nothing", async ({ server, share }) => {
            await restartAfter(world, server, share, undisturbed, prepared);
            expect(await end()).toEqual(expected);
        });
    });

    describe("by the events of the jobs", () => {
        /** What undisturbed runs leave, and the handling of the event: of a world with one folder, by the folder. */
        const expected: Record<string, object> = {};
        const undisturbed: Record<string, Outcome> = {};
        beforeAll(async () => {
            for (const folder of folders) {
                undisturbed[folder] = await finish(world, await eventOf(folder));
                expected[folder] = await end();
                expect(expected[folder]).toMatchObject({ batches: [{ folder, status: "completed", loaded: { files: 2, rows: 3 } }] });
            }
            // The endpoint's word for whose job it is makes another one needless.
            expect(expected[unknown]).toMatchObject({ batches: [{ attempt: 1 }] });
        });

        /** Of a world in which the folder's job has ended, and nothing else has happened. */
        async function eventOf(folder: string): Promise<Order> {
            const [event] = await jobsEnded([folder]);
            return event as Order;
        }

        const kills = spread(24).map((share, index) => ({ share, folder: folders[index % folders.length] as string }));
        test.each(kills)("killed after $share % of its outside calls, is finished by the next delivery ($folder)", async ({ share, folder }) => {
            const event = await killAfter(world, share, undisturbed[folder] as Outcome, () => eventOf(folder));
            await finish(world, event);
            expect(await end()).toEqual(expected[folder]);
        });

        test("killed at each step that it tells of, is finished by the next delivery", { timeout: 180_000 }, async () => {
            const steps = folders.flatMap((folder) => [...new Set(undisturbed[folder]?.steps)].map((step) => ({ folder, step })));
            const named = ["asked", "moved", "queued", "adopted"].map((step): unknown => expect.objectContaining({ step: `reconcile: ${step}` }));
            expect(steps).toEqual(expect.arrayContaining(named));
            for (const { folder, step } of steps) {
                const event = await eventOf(folder);
                expect(await kill(world, event, { step }), step).toBe("killed");
                await finish(world, event);
                expect(await end(), `${folder}, ${step}`).toEqual(expected[folder]);
            }
        });

        const restarts = (["lake", "database", "batch endpoint"] as const).flatMap((server) => [30, 60, 90].map((share) => ({ server, share })));
        test.each(restarts)("while the $server restarts after $share % of its outside calls, loses nothing", async ({ server, share }) => {
            const [folder = ""] = folders;
            const event = await restartAfter(world, server, share, undisturbed[folder] as Outcome, () => eventOf(folder));
            await finish(world, event);
            expect(await end()).toEqual(expected[folder]);
        });

        test("each event three times, shuffled and two at once, leaves what each once leaves", { timeout: 180_000 }, async () => {
            const seed = chaosSeed();
            for (const event of await jobsEnded()) {
                await finish(world, event);
            }
            const once = await end();
            const twelve = Array.from({ length: 12 }, (_, index) => index);
            for (const order of fc.sample(fc.shuffledSubarray(twelve, { minLength: 12 }), { numRuns: 3, seed })) {
                const events = await jobsEnded();
                const shuffled = order.map((index) => events[index % 4] as Order);
                for (let index = 0; index < shuffled.length; index += 2) {
                    await Promise.all(shuffled.slice(index, index + 2).map((each) => finish(world, each)));
                }
                expect(await end(), `order ${order.join()} of CHAOS_SEED=${seed}`).toEqual(once);
            }
        });
    });
});
