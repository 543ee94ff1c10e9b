import { Deliveries } from "./deliveries";
import { sources } from "./game";
import type { Order } from "./orders";
import type { Action, Disturbance, Schedule } from "./schedule";
import type { Ending } from "./workers";
import type { World } from "./world";

/** The cold path under a schedule. */
class Run {
    readonly #deliveries: Deliveries;
    private state = 0;

    constructor(private readonly world: World) {
        this.#deliveries = new Deliveries(world);
    }

    async act(action: Action): Promise<void> {
        const deliveries = this.#deliveries;
        switch (action.do) {
            case "ingest":
            case "reconcile":
                await deliveries.invoke({ work: action.do }, action.with);
                break;
            case "deliver": {
                const order = this.at(action.event);
                deliveries.settle(order, await deliveries.invoke(order, action.with), action.stays);
                break;
            }
            case "two at once": {
                // Of two timers one waits for the other for seconds, which has a test of its own.
                const orders = deliveries.waiting.length === 0 ? [this.at(0)] : action.events.map((event) => this.at(event));
                const kills: Disturbance[] = [action.kill === undefined ? { kind: "none" } : { kind: "kill", call: action.kill }, { kind: "none" }];
                const endings = await Promise.all(orders.map((order, index) => deliveries.invoke(order, kills[index])));
                orders.forEach((order, index) => deliveries.settle(order, endings[index] as Ending));
                break;
            }
            case "lose": {
                // What nobody tells of again is found by `reconcile`. The word of a folder is kept by its queue for a week.
                const order = this.at(action.event);
                deliveries.waiting = deliveries.waiting.filter((each) => each !== order || order.work === "score");
                break;
            }
            case "jobs":
                await this.world.jobs.run(() => action.end);
                break;
            case "source":
                this.state = Math.min(this.state + 1, sources.length - 1);
                await this.world.source.put(sources[this.state] ?? {});
                break;
        }
        deliveries.take();
    }

    /** Leaves the cold path alone until nothing is left to do. Each event comes once more: nobody promises that it comes once. */
    async end(): Promise<void> {
        await this.world.source.put(sources.at(-1) ?? {});
        await this.#deliveries.untilQuiet(["ingest"]);
        await this.#deliveries.repeatAll();
    }

    /** The event of this number; while none waits, the timer brings some. */
    private at(event: number): Order {
        const { waiting } = this.#deliveries;
        return waiting[event % waiting.length] ?? { work: "ingest" };
    }
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
