import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completeFolder, leftAtLast } from "./batches";
import { Deliveries } from "./deliveries";
import { chaosSeed, finish, kill, killAfter, restartAfter, spread } from "./disturbances";
import type { Order, Outcome } from "./orders";
import type { Ending } from "./workers";
import { startWorld, type World } from "./world";

const folder = "players/dt=2026-01-31";

describe("score", () => {
    let world: World;
    let deliveries: Deliveries;
    /** What an undisturbed run leaves. */
    let expected: object;
    let undisturbed: Outcome;
    beforeAll(async () => {
        world = await startWorld();
        undisturbed = await finish(world, await completed());
        expect(world.jobs.submitted).toEqual([`${folder}/`]);
        expected = await leftAtLast(world, deliveries, false);
        expect(expected).toMatchObject({ batches: [{ folder, status: "completed", files: 2, rows: { in: 4, scored: 4 }, outputFiles: 2, loaded: { files: 2, rows: 3 } }] });
    });
    afterAll(() => world.stop());

    /** Completes the folder in an empty world and gives the order to score it. */
    async function completed(): Promise<Order> {
        await world.clear();
        deliveries = new Deliveries(world);
        await completeFolder(world, folder);
        deliveries.take();
        return deliveries.waiting.splice(0)[0] as Order;
    }

    /** The work is done, by one job, or by two where a kill fell between the endpoint's answer and its being written down. */
    async function expectDone(): Promise<void> {
        expect(await leftAtLast(world, deliveries, false)).toEqual(expected);
        expect(world.jobs.submitted.length).toBeLessThanOrEqual(2);
    }

    test.each(spread(24).map((share) => ({ share })))("killed after $share % of its outside calls, is finished by the next delivery", async ({ share }) => {
        const order = await killAfter(world, share, undisturbed, completed);
        await finish(world, order);
        await expectDone();
    });

    test("killed at each step that it tells of, is finished by the next delivery", async () => {
        expect(undisturbed.steps).toEqual(expect.arrayContaining(["score: claimed", "score: submitted", "score: settled"]));
        for (const step of new Set(undisturbed.steps)) {
            const order = await completed();
            expect(await kill(world, order, { step }), step).toBe("killed");
            await finish(world, order);
            await expectDone();
        }
    });

    test("three times, two of them at once, starts one job", async () => {
        const order = await completed();
        for (const ending of await Promise.all([deliveries.invoke(order), deliveries.invoke(order)])) {
            deliveries.settle(order, ending);
        }
        deliveries.settle(order, await deliveries.invoke(order));
        expect(await leftAtLast(world, deliveries, false)).toEqual(expected);
        expect(world.jobs.submitted).toHaveLength(1);
    });

    test("events of two folders and of a version before, each three times, shuffled and two at once, start one job for each folder as it is", async () => {
        const seed = chaosSeed();
        const other = "players/dt=2026-02-01";
        /** @returns the events of the first folder's two versions and of the other folder */
        const told = async (): Promise<readonly Order[]> => {
            await world.clear();
            deliveries = new Deliveries(world);
            await completeFolder(world, folder);
            await completeFolder(world, folder, "2026-01-31T13:00:00.000Z");
            await completeFolder(world, other);
            deliveries.take();
            return deliveries.waiting.splice(0);
        };
        const once = await told();
        expect(once).toHaveLength(3);
        for (const order of once) {
            deliveries.settle(order, await deliveries.invoke(order));
        }
        const left = await leftAtLast(world, deliveries, false);
        expect(left).toMatchObject({ batches: [folder, other].map((each) => ({ folder: each, status: "completed" })) });
        const nine = Array.from({ length: 9 }, (_, index) => index);
        for (const order of fc.sample(fc.shuffledSubarray(nine, { minLength: 9 }), { numRuns: 3, seed })) {
            const orders = await told();
            const shuffled = order.map((index) => orders[index % 3] as Order);
            for (let index = 0; index < shuffled.length; index += 2) {
                const pair = shuffled.slice(index, index + 2);
                const endings = await Promise.all(pair.map((each) => deliveries.invoke(each)));
                pair.forEach((each, place) => deliveries.settle(each, endings[place] as Ending));
            }
            expect(await leftAtLast(world, deliveries, false), `order ${order.join()} of CHAOS_SEED=${seed}`).toEqual(left);
            expect([...world.jobs.submitted].sort()).toEqual([`${folder}/`, `${other}/`]);
        }
    });

    const restarts = (["lake", "batch endpoint"] as const).flatMap((server) => [30, 60, 90].map((share) => ({ server, share })));
    test.each(restarts)("while the $server restarts after $share % of its outside calls, loses nothing", async ({ server, share }) => {
        const order = await restartAfter(world, server, share, undisturbed, completed);
        await finish(world, order);
        await expectDone();
    });
});
