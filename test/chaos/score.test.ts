import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completeFolder, leftAtLast } from "./batches";
import { Deliveries } from "./deliveries";
import { finish, kill, killAfter, restartAfter, spread } from "./disturbances";
import type { Order, Outcome } from "./orders";
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

    const restarts = (["lake", "batch endpoint"] as const).flatMap((server) => [30, 60, 90].map((share) => ({ server, share })));
    test.each(restarts)("while the $server restarts after $share % of its outside calls, loses nothing", async ({ server, share }) => {
        const order = await restartAfter(world, server, share, undisturbed, completed);
        await finish(world, order);
        await expectDone();
    });
});
