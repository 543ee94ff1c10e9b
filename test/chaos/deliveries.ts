import { setTimeout as sleep } from "node:timers/promises";
import { containers, poisonSuffix, predictionFileSuffix, queues, successMarker } from "../../functions/contracts";
import type { Order, Work } from "./orders";
import type { Disturbance } from "./schedule";
import type { Ending } from "./workers";
import type { World } from "./world";

/** How long a server stays away at most while a worker asks for it. */
const awayMs = 200;
/** What passes between the rounds of the end, on the workers' clock: longer than anything that is waited for. */
const roundMs = 20 * 60_000;
const maxRounds = 12;

/** Which handler a queue triggers. */
const workOf: Readonly<Record<string, Work>> = { [queues.foldersReady]: "score", [queues.predictionsReady]: "load", [queues.jobsChanged]: "jobs" };

/** What waits in the queues of a world, its delivery, and the time on the clock of the workers. */
export class Deliveries {
    /** Events and messages that wait for their delivery, as orders. */
    waiting: Order[] = [];
    /** Those whose work is done, for the repetitions of the end. */
    readonly #done: Order[] = [];
    /** Messages in poison queues, until a person puts them back. */
    readonly #poisoned: Order[] = [];
    #aheadMs = 0;

    constructor(private readonly world: World) {}

    /** Takes what was written, sent and told since the last call; of events what the subscriptions of the program let through. */
    take(): void {
        for (const { container, path, message } of this.world.takeEvents()) {
            if (container === containers.logs && path.endsWith(`/${successMarker}`)) {
                this.waiting.push({ work: "score", message });
            } else if (container === containers.predictions && path.endsWith(predictionFileSuffix)) {
                this.waiting.push({ work: "load", message });
            }
        }
        this.waiting.push(...this.world.jobs.takeEvents().map((message): Order => ({ work: "jobs", message })));
        for (const { queue, message } of this.world.takeMessages()) {
            const order: Order = { work: workOf[queue.replace(poisonSuffix, "")] as Work, message };
            (queue.endsWith(poisonSuffix) ? this.#poisoned : this.waiting).push(order);
        }
    }

    /** Runs an order on a process that has run others, under a disturbance. */
    async invoke(order: Order, disturbance: Disturbance = { kind: "none" }): Promise<Ending> {
        const timed = { ...order, aheadMs: this.#aheadMs };
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

    /** A message goes when its work was done, and comes again when not. */
    settle(order: Order, ending: Ending, stays = false): void {
        if (order.message === undefined) {
            return;
        }
        this.waiting = this.waiting.filter((each) => each !== order);
        if (failureOf(ending) !== undefined || stays) {
            this.waiting.push(order);
        } else {
            this.#done.push(order);
        }
    }

    /**
     * Delivers, follows the batches and has jobs run until nothing is left to do: no message waits, and no batch is open.
     *
     * @param timers what fires as well, before each round
     */
    async untilQuiet(timers: readonly Work[] = []): Promise<void> {
        let failures: string[] = [];
        for (let round = 1; round <= maxRounds; round += 1) {
            this.#aheadMs += roundMs;
            await this.world.stores.endLeases();
            failures = await this.#round(timers);
            const waiting = this.waiting.length + this.#poisoned.length + this.world.jobs.waiting + (await this.world.stores.openBatches());
            if (failures.length === 0 && waiting === 0) {
                return;
            }
        }
        throw new Error(`not at its end after ${maxRounds} rounds: ${this.waiting.length} events wait; ${failures.join("\n")}`);
    }

    /** Delivers once more what was done, but for folders, each of which may be another by now. */
    async repeatAll(): Promise<void> {
        this.#aheadMs += roundMs;
        for (const order of this.#done.filter(({ work }) => work !== "score")) {
            const failure = failureOf(await this.invoke(order));
            if (failure !== undefined) {
                throw new Error(`a repeated event failed: ${failure}`);
            }
        }
    }

    async #round(timers: readonly Work[]): Promise<string[]> {
        const failures: (string | undefined)[] = [];
        this.waiting.push(...this.#poisoned.splice(0));
        for (const work of timers) {
            failures.push(failureOf(await this.invoke({ work })));
        }
        this.take();
        for (const order of this.waiting.splice(0)) {
            const ending = await this.invoke(order);
            failures.push(failureOf(ending));
            this.settle(order, ending);
        }
        failures.push(failureOf(await this.invoke({ work: "reconcile" })));
        await this.world.jobs.run();
        this.take();
        return failures.filter((failure) => failure !== undefined);
    }
}

function failureOf(ending: Ending): string | undefined {
    return ending === "killed" ? "killed" : ending.failure;
}
