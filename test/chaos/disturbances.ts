import { setTimeout as sleep } from "node:timers/promises";
import type { Order, Outcome, Point } from "./orders";
import type { Ending } from "./workers";
import type { Server, World } from "./world";

/** How often a queue delivers a message before it gives up, and more than a timer needs. */
const maxDeliveries = 5;
/** What passes between two deliveries, on the workers' clock: longer than anything that is waited for. */
const betweenDeliveriesMs = 10 * 60_000;
/** How long a server stays away at most while a worker asks for it. */
const awayMs = 300;

/** Delivers an order until it has been done, as a queue or a timer does. @throws when it fails each time, with the last failure */
export async function finish(world: World, order: Order): Promise<Outcome> {
    let failure: string | undefined;
    for (let delivery = 1; delivery <= maxDeliveries; delivery += 1) {
        const outcome = await world.workers.start({ ...order, aheadMs: (order.aheadMs ?? 0) + delivery * betweenDeliveriesMs }).ending;
        if (outcome !== "killed" && outcome.failure === undefined) {
            return outcome;
        }
        failure = outcome === "killed" ? "it was killed" : outcome.failure;
        await world.stores.endLeases();
    }
    throw new Error(`${order.work} failed ${maxDeliveries} times, at last: ${failure}`);
}

/** Starts an order whose worker is killed at the point. What it held by a lease is free when this settles: time has passed. */
export async function kill(world: World, order: Order, killAt: Point): Promise<Ending> {
    const ending = await world.workers.start({ ...order, killAt }).ending;
    await world.stores.endLeases();
    return ending;
}

/**
 * Kills the worker of an order at a share of an undisturbed run's outside calls, in percent. Runs differ by a few calls: one that came to its end
 * before is repeated from the start and killed earlier.
 *
 * @param prepare brings the world to where the order begins.
 */
export async function killAfter(world: World, share: number, undisturbed: Outcome, prepare: () => Promise<Order>): Promise<Order> {
    for (let call = callAt(share, undisturbed); ; call -= Math.ceil(call / 20)) {
        const order = await prepare();
        if ((await kill(world, order, { call })) === "killed") {
            return order;
        }
    }
}

/**
 * Restarts a server when the worker of an order has come to a share of an undisturbed run's outside calls, in percent. The worker goes on while the
 * server is away, and finds it back without its connections, or gives up.
 *
 * @param prepare brings the world to where the order begins.
 */
export async function restartAfter(
    world: World,
    server: Server,
    share: number,
    undisturbed: Outcome,
    prepare: () => Promise<Order>,
): Promise<Order> {
    for (let call = callAt(share, undisturbed); ; call -= Math.ceil(call / 20)) {
        const order = await prepare();
        const running = world.workers.start({ ...order, haltAt: { call } });
        if (await running.halted) {
            await world.restart(server, async () => {
                running.goOn();
                await Promise.race([running.ending.catch(() => undefined), sleep(awayMs)]);
            });
            await running.ending;
            await world.stores.endLeases();
            return order;
        }
        await running.ending;
    }
}

/** The outside call at a share of an undisturbed run's. */
function callAt(share: number, undisturbed: Outcome): number {
    return Math.max(1, Math.round((share / 100) * undisturbed.calls));
}

/** Shares of a run, in percent and spread evenly over it without its ends. */
export function spread(points: number): number[] {
    return Array.from({ length: points }, (_, index) => Math.round(((index + 0.5) / points) * 100));
}

/**
 * The seed of the random choices, which a failed run prints: `CHAOS_SEED` repeats them, and `random` draws others. Without it they are the same at
 * every run, so that a change is judged by the schedules that the one before it passed.
 */
export function chaosSeed(): number {
    const seed = process.env["CHAOS_SEED"] ?? "20260131";
    return seed === "random" ? Date.now() % 2 ** 31 : Number(seed);
}
