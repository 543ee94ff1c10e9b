import { setTimeout as sleep } from "node:timers/promises";
import { containers, predictionFileSuffix, successMarker } from "../../functions/contracts";
import { sources } from "./game";
import type { Order } from "./orders";
import type { Action, Disturbance, Schedule } from "./schedule";
import type { Ending } from "./workers";
import type { World } from "./world";

/** How long a server stays away at most while a worker asks for it. */
const awayMs = 200;
/** What passes between the rounds of the end, on the workers' clock: longer than anything that is waited for. */
const roundMs = 20 * 60_000;
const maxRounds = 8;

/** The cold path under a schedule. */
class Run {
    /** Events that wait for their delivery, as orders. */
    private waiting: Order[] = [];
    /** Events whose work is done, for the repetitions of the end. */
    private readonly done: Order[] = [];
    private aheadMs = 0;
    private state = 0;

    constructor(private readonly world: World) {}

    async act(action: Action): Promise<void> {
        switch (action.do) {
            case "ingest":
                await this.invoke({ work: "ingest" }, action.with);
                break;
            case "deliver": {
                const order = this.at(action.event);
                this.settle(order, await this.invoke(order, action.with), action.stays);
                break;
            }
            case "two at once": {
                // Of two timers one waits for the other for seconds, which has a test of its own.
                const orders = this.waiting.length === 0 ? [this.at(0)] : action.events.map((event) => this.at(event));
                const kills: Disturbance[] = [action.kill === undefined ? { kind: "none" } : { kind: "kill", call: action.kill }, { kind: "none" }];
                const endings = await Promise.all(orders.map((order, index) => this.invoke(order, kills[index] as Disturbance)));
                orders.forEach((order, index) => this.settle(order, endings[index] as Ending, false));
                break;
            }
            case "jobs":
                await this.world.jobs.run();
                break;
            case "source":
                this.state = Math.min(this.state + 1, sources.length - 1);
                await this.world.source.put(sources[this.state] ?? {});
                break;
        }
        this.takeEvents();
    }

    /** Leaves the cold path alone until nothing is left to do. Each event comes once more: nobody promises that it comes once. */
    async end(): Promise<void> {
        await this.world.source.put(sources.at(-1) ?? {});
        let failures: string[] = [];
        for (let round = 1; round <= maxRounds; round += 1) {
            this.aheadMs += roundMs;
            await this.world.stores.endLeases();
            failures = await this.round();
            if (failures.length === 0 && this.waiting.length === 0 && this.world.jobs.waiting === 0) {
                return this.repeatAll();
            }
        }
        throw new Error(`not at its end after ${maxRounds} rounds: ${this.waiting.length} events wait; ${failures.join("\n")}`);
    }

    private async round(): Promise<string[]> {
        const failures = [failureOf(await this.invoke({ work: "ingest" }, { kind: "none" }))];
        this.takeEvents();
        for (const order of this.waiting.splice(0)) {
            const ending = await this.invoke(order, { kind: "none" });
            failures.push(failureOf(ending));
            this.settle(order, ending, false);
        }
        await this.world.jobs.run();
        this.takeEvents();
        return failures.filter((failure) => failure !== undefined);
    }

    private async repeatAll(): Promise<void> {
        this.aheadMs += roundMs;
        for (const order of this.done.filter(({ work }) => work === "load")) {
            const failure = failureOf(await this.invoke(order, { kind: "none" }));
            if (failure !== undefined) {
                throw new Error(`a repeated event failed: ${failure}`);
            }
        }
    }

    /** The event of this number; while none waits, the timer brings some. */
    private at(event: number): Order {
        return this.waiting[event % this.waiting.length] ?? { work: "ingest" };
    }

    /** A message goes when its work was done, and comes again when not. */
    private settle(order: Order, ending: Ending, stays: boolean): void {
        if (order.work === "ingest") {
            return;
        }
        this.waiting = this.waiting.filter((each) => each !== order);
        if (ending === "killed" || ending.failure !== undefined || stays) {
            this.waiting.push(order);
        } else {
            this.done.push(order);
        }
    }

    private async invoke(order: Order, disturbance: Disturbance): Promise<Ending> {
        const timed = { ...order, aheadMs: this.aheadMs };
        switch (disturbance.kind) {
            case "none":
                return this.world.workers.startWarm(timed).ending;
            case "kill": {
                const ending = await this.world.workers.startWarm({ ...timed, killAt: { call: disturbance.call } }).ending;
                await this.world.stores.endLeases();
                return ending;
            }
            case "restart": {
                const running = this.world.workers.startWarm({ ...timed, haltAt: { call: disturbance.call } });
                if (await running.halted) {
                    await this.world.restart(disturbance.server, async () => {
                        running.goOn();
                        await Promise.race([running.ending.catch(() => undefined), sleep(awayMs)]);
                    });
                }
                const ending = await running.ending;
                // One that could not give its lease back while the lake was away.
                await this.world.stores.endLeases();
                return ending;
            }
        }
    }

    /** As the subscriptions of the program let them through. */
    private takeEvents(): void {
        for (const { container, path, message } of this.world.takeEvents()) {
            if (container === containers.logs && path.endsWith(`/${successMarker}`)) {
                this.waiting.push({ work: "score", message });
            } else if (container === containers.predictions && path.endsWith(predictionFileSuffix)) {
                this.waiting.push({ work: "load", message });
            }
        }
    }
}

function failureOf(ending: Ending): string | undefined {
    return ending === "killed" ? "killed" : ending.failure;
}

/** Runs a schedule from an empty world to its end. */
export async function runSchedule(world: World, schedule: Schedule): Promise<void> {
    await world.clear();
    await world.source.put(sources[0] ?? {});
    const run = new Run(world);
    for (const action of schedule) {
        await run.act(action);
    }
    await run.end();
}
