import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chaosSeed, finish, kill, killAfter, restartAfter, spread } from "./disturbances";
import type { Order, Outcome } from "./orders";
import { logOf, predictionsOf } from "./players";
import type { Snapshot } from "./stores";
import { startWorld, type World } from "./world";

const days = {
    older: { file: "players/dt=2026-01-31/0a/part-0.csv", scoredAt: "2026-01-31T12:00:00.000Z", players: ["1", "2", "한국 플레이어", "only then"] },
    newer: { file: "players/dt=2026-02-01/0b/part-0.csv", scoredAt: "2026-02-01T12:00:00.123Z", players: ["1", "2", "한국 플레이어", "new"] },
} as const;
type Day = keyof typeof days;

/** A file of a day, with a row that is no prediction. */
function content(day: Day): string {
    const { players, scoredAt } = days[day];
    const crowd = Array.from({ length: 30 }, (_, index) => `p${index}`);
    return predictionsOf(`${logOf([...players, ...crowd].map((playerId) => ({ playerId, scoredAt })))}bad row of ${day}\n`);
}

describe("load", () => {
    let world: World;
    /** What an undisturbed run of both files in their order leaves. */
    let expected: Snapshot;
    let undisturbed: Outcome;

    beforeAll(async () => {
        world = await startWorld();
        await world.clear();
        await finish(world, await written("older"));
        undisturbed = await finish(world, await written("newer"));
        expected = await world.stores.snapshot();
        expect(expected.players).toHaveLength(35);
        expect(expected.loads).toMatchObject([{ rows: 34, rejected: 1 }, { rows: 34, rejected: 1 }]);
        // Each player, and the names of the segments.
        expect(Object.keys(expected.cache)).toHaveLength(36);
        expect(Object.keys(expected.predictions)).toHaveLength(4);
    });
    afterAll(() => world.stop());

    /** Writes a day's file and gives the order to load it. */
    async function written(day: Day): Promise<Order> {
        const text = content(day);
        const blob = world.container("predictions").getBlockBlobClient(days[day].file);
        await blob.upload(text, Buffer.byteLength(text), { blobHTTPHeaders: { blobContentType: "text/csv" } });
        return { work: "load", message: world.takeEvents().at(-1)?.message };
    }

    // Every other kill meets the first load of all, which makes the tables, and the older file comes after the newer.
    test.each(spread(24).map((share, index) => ({ share, first: index % 2 === 0 })))(
        "killed after $share % of its outside calls, is finished by the next delivery",
        async ({ share, first }) => {
            let older: Order | undefined;
            const newer = await killAfter(world, share, undisturbed, async () => {
                await world.clear();
                older = await written("older");
                if (!first) {
                    await finish(world, older);
                }
                return written("newer");
            });
            await finish(world, newer);
            await finish(world, older as unknown as Order);
            expect(await world.stores.snapshot()).toEqual(expected);
        },
    );

    test("killed at each step that it tells of, is finished by the next delivery", async () => {
        expect(undisturbed.steps).not.toEqual([]);
        for (const step of new Set(undisturbed.steps)) {
            await world.clear();
            const [older, newer] = [await written("older"), await written("newer")];
            expect(await kill(world, newer, { step }), step).toBe("killed");
            await finish(world, newer);
            await finish(world, older);
            expect(await world.stores.snapshot(), step).toEqual(expected);
        }
    });

    test("each event three times, shuffled and two at once, leaves what each once leaves", async () => {
        const seed = chaosSeed();
        for (const order of fc.sample(fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }), { numRuns: 3, seed })) {
            await world.clear();
            const orders = [await written("older"), await written("newer")];
            const deliveries = order.map((index) => orders[index % 2] as Order);
            for (let index = 0; index < deliveries.length; index += 2) {
                await Promise.all(deliveries.slice(index, index + 2).map((delivery) => finish(world, delivery)));
            }
            expect(await world.stores.snapshot(), `order ${order.join()} of CHAOS_SEED=${seed}`).toEqual(expected);
        }
    });

    const restarts = (["lake", "cache", "database"] as const).flatMap((server) => [30, 60, 90].map((share) => ({ server, share })));
    test.each(restarts)("while the $server restarts after $share % of its outside calls, loses nothing", async ({ server, share }) => {
        const newer = await restartAfter(world, server, share, undisturbed, async () => {
            await world.clear();
            await finish(world, await written("older"));
            return written("newer");
        });
        await finish(world, newer);
        expect(await world.stores.snapshot()).toEqual(expected);
    });
});
