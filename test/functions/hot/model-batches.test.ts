import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ModelUnavailableError, type ModelPlayer, type OnlineAnswer } from "../../../functions/clients/online-endpoint-protocol";
import { Metrics } from "../../../functions/predict/metrics";
import { ModelBatches, type ModelBatchesOptions, ModelOverloadedError } from "../../../functions/predict/model-batches";
import type { Question } from "../../../functions/predict/model-questions";
import { prediction } from "./predictions";

/** A call that waits for the test to answer it. */
interface Held {
    readonly players: readonly ModelPlayer[];
    readonly deadline: number;
    answer(): void;
    fail(error?: Error): void;
}

let now: number;
let held: Held[];
let stored: string[];
let storing: PromiseWithResolvers<void> | undefined;

beforeEach(() => {
    [now, held, stored, storing] = [Date.now(), [], [], undefined];
});

function batches(change: Partial<ModelBatchesOptions> = {}): ModelBatches {
    const predict = (players: readonly ModelPlayer[], { deadline }: { deadline: number }) =>
        new Promise<OnlineAnswer>((resolve, reject) => {
            held.push({
                players,
                deadline,
                answer: () => resolve({ predictions: players.map(({ playerId }) => prediction(playerId)), errors: [] }),
                fail: (error = new ModelUnavailableError("down", { retryable: false })) => reject(error),
            });
        });
    const store: ModelBatchesOptions["store"] = async (predictions) => {
        stored.push(...predictions.map(({ playerId }) => playerId));
        await storing?.promise;
    };
    const metrics = new Metrics();
    return new ModelBatches({ model: { predict }, version: "live", maxCalls: 2, batchPlayers: 10, store, now: () => now, metrics, ...change });
}

const question = (playerId: string, age = 39): Question => ({ playerId, features: { age } });
const asks = (...playerIds: string[]): Question[] => playerIds.map((playerId) => question(playerId));
const inCalls = (): string[][] => held.map((call) => call.players.map((player) => player.playerId));
const callsMade = (count: number) => vi.waitFor(() => expect(held).toHaveLength(count), { interval: 1, timeout: 10_000 });

/** What became of each question. */
async function outcomes(asked: ReturnType<ModelBatches["ask"]>): Promise<string[]> {
    return (await asked).answers.map((answer) => ("prediction" in answer ? answer.prediction.playerId : "fault" in answer ? (answer.fault as Error).name : "refused"));
}

const soon = () => now + 5_000;

describe("the calls of the model", () => {
    test("take in the misses of requests that come together", async () => {
        const model = batches();
        const both = [model.ask(asks("1", "2"), soon()), model.ask(asks("3"), soon())];
        await callsMade(1);
        held[0]?.answer();
        expect(await Promise.all(both.map(outcomes))).toEqual([["1", "2"], ["3"]]);
        expect(inCalls()).toEqual([["1", "2", "3"]]);
        expect(stored).toEqual(["1", "2", "3"]);
    });

    test("gather while others are in flight, and while the endpoint takes no further one", async () => {
        const model = batches();
        const first = model.ask(asks("1"), soon());
        await callsMade(1);
        const second = [model.ask(asks("2"), soon()), model.ask(asks("3"), soon())];
        await callsMade(2);
        const waiting = model.ask(asks("4"), soon());
        await new Promise((resolve) => setTimeout(resolve, 20));
        const later = model.ask(asks("5"), soon());
        expect(model.calls).toBe(2);
        expect(held).toHaveLength(2);
        held[0]?.answer();
        await callsMade(3);
        expect(inCalls()).toEqual([["1"], ["2", "3"], ["4", "5"]]);
        held.forEach((call) => call.answer());
        await Promise.all([first, ...second, waiting, later]);
    });

    test("are no larger than the largest batch, but never split one request", async () => {
        const model = batches({ batchPlayers: 3 });
        const asked = [model.ask(asks("1", "2"), soon()), model.ask(asks("3", "4"), soon()), model.ask(asks("5", "6", "7", "8"), soon())];
        await callsMade(2);
        held.forEach((call) => call.answer());
        await callsMade(3);
        held.forEach((call) => call.answer());
        await Promise.all(asked);
        expect(inCalls()).toEqual([["1", "2"], ["3", "4"], ["5", "6", "7", "8"]]);
    });

    test("ask for a player with other inputs in another call", async () => {
        const model = batches();
        const asked = [model.ask([question("1", 20)], soon()), model.ask([question("1", 30)], soon())];
        await callsMade(2);
        held.forEach((call) => call.answer());
        await Promise.all(asked);
        expect(held.map((call) => call.players[0]?.features["age"])).toEqual([20, 30]);
    });

    test("are shared by a thousand requests for one player, late ones too until the answer is stored and a second longer", async () => {
        storing = Promise.withResolvers();
        const model = batches();
        const asked = Array.from({ length: 1_000 }, () => model.ask(asks("1"), soon()));
        await callsMade(1);
        held[0]?.answer();
        expect(new Set((await Promise.all(asked.map(outcomes))).flat())).toEqual(new Set(["1"]));
        expect(await outcomes(model.ask(asks("1"), soon()))).toEqual(["1"]);
        storing.resolve();
        await turn();
        await turn();
        now += 1_000;
        expect(await outcomes(model.ask(asks("1"), soon()))).toEqual(["1"]);
        expect(held).toHaveLength(1);

        now += 1;
        const again = model.ask(asks("1"), soon());
        await callsMade(2);
        held[1]?.answer();
        await again;
    });

    test("are shared, once answered, with those only who take an answer of that age", async () => {
        const model = batches();
        const first = model.ask(asks("1"), soon());
        await callsMade(1);
        held[0]?.answer();
        await first;
        const anew = model.ask(asks("1"), soon(), 0);
        await callsMade(2);
        held[1]?.answer();
        await anew;

        now += 700;
        expect(await outcomes(model.ask(asks("1"), soon(), 700))).toEqual(["1"]);
        expect(held).toHaveLength(2);
        const younger = model.ask(asks("1"), soon(), 699);
        await callsMade(3);
        held[2]?.answer();
        await younger;
    });

    test("that fail are shared with nobody who comes after", async () => {
        const model = batches();
        const failed = model.ask(asks("1"), soon());
        await callsMade(1);
        held[0]?.fail();
        expect(await outcomes(failed)).toEqual(["ModelUnavailableError"]);
        const next = model.ask(asks("1"), soon());
        await callsMade(2);
        held[1]?.answer();
        expect(await outcomes(next)).toEqual(["1"]);
    });

    test("last as long as the most patient of those who wait, and each waits as long as it can", async () => {
        const model = batches();
        const hasty = model.ask(asks("1"), now + 50);
        const patient = model.ask(asks("1", "2"), now + 5_000);
        await callsMade(1);
        expect(await outcomes(hasty)).toEqual(["ModelUnavailableError"]);
        expect(held[0]?.deadline).toBe(now + 5_000);
        held[0]?.answer();
        expect(await outcomes(patient)).toEqual(["1", "2"]);
    });

    test("leave out those who need no answer any more", async () => {
        const model = batches({ maxCalls: 1 });
        const first = model.ask(asks("1"), soon());
        await callsMade(1);
        const hasty = model.ask(asks("2"), now + 30);
        expect(await outcomes(hasty)).toEqual(["ModelOverloadedError"]);
        const patient = model.ask(asks("3"), soon());
        now += 100;
        held[0]?.answer();
        await callsMade(2);
        held[1]?.answer();
        await Promise.all([first, patient]);
        expect(inCalls()).toEqual([["1"], ["3"]]);
    });
});

describe("more than the model can answer", () => {
    test("is refused when as many calls wait as are in flight", async () => {
        const model = batches({ batchPlayers: 1 });
        const asked = Array.from({ length: 5 }, (_, i) => model.ask(asks(String(i)), soon()));
        expect(await outcomes(asked[4]!)).toEqual(["ModelOverloadedError"]);
        await callsMade(2);
        held.forEach((call) => call.answer());
        await callsMade(4);
        held.forEach((call) => call.answer());
        expect(await Promise.all(asked.slice(0, 4).map(outcomes))).toEqual([["0"], ["1"], ["2"], ["3"]]);
        const next = model.ask(asks("6"), soon());
        await callsMade(5);
        held[4]?.answer();
        expect(await outcomes(next)).toEqual(["6"]);
    });

    test("is refused at once when calls take too long for one more, but not where a call can be made now", async () => {
        const model = batches({ maxCalls: 1 });
        const slow = model.ask(asks("1"), soon());
        await callsMade(1);
        now += 400;
        held[0]?.answer();
        await slow;
        await vi.waitFor(() => expect(model.calls).toBe(0), { timeout: 30_000 });
        const next = model.ask(asks("2"), now + 100);
        await callsMade(2);
        expect(await outcomes(model.ask(asks("3"), now + 700))).toEqual(["ModelOverloadedError"]);
        const patient = model.ask(asks("4"), now + 1_000);
        held[1]?.answer();
        await callsMade(3);
        held[2]?.answer();
        await Promise.all([next, patient]);
    });
});

describe("a model that fails again and again", () => {
    test("is left alone for a second, then tried by one call, and asked again when that succeeds", async () => {
        const model = batches({ maxCalls: 10, batchPlayers: 1 });
        for (let call = 0; call < 5; call++) {
            const failing = model.ask(asks("1"), soon());
            await callsMade(call + 1);
            held[call]?.fail();
            await failing;
        }
        const left = await model.ask(asks("1"), soon());
        expect(left.answers).toMatchObject([{ fault: { name: "ModelUnavailableError", cause: { message: "down" } } }]);
        expect(held).toHaveLength(5);

        let trying: ReturnType<ModelBatches["ask"]> | undefined;
        await vi.waitFor(
            () => {
                trying = model.ask(asks("1"), soon());
                return callsMade(6);
            },
            { timeout: 20_000, interval: 50 },
        );
        expect(await outcomes(model.ask(asks("2"), soon()))).toEqual(["ModelUnavailableError"]);
        held[5]?.answer();
        expect(await outcomes(trying!)).toEqual(["1"]);
        const after = model.ask(asks("3"), soon());
        await callsMade(7);
        held[6]?.answer();
        expect(await outcomes(after)).toEqual(["3"]);
    });

    test("is not suspected for a fault of this program, which reaches the caller", async () => {
        const model = batches();
        const broken = model.ask(asks("1"), soon());
        await callsMade(1);
        held[0]?.fail(new TypeError("not a function"));
        expect((await broken).answers).toMatchObject([{ fault: { name: "TypeError" } }]);
        expect(new ModelOverloadedError().retryable).toBe(true);
    });
});
