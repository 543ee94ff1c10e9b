import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerSchema } from "../../functions/predict/answer";
import { problemSchema } from "../../functions/predict/problem";
import { answerOf, deadlineMs, HotStack, newPlayer, type Reply } from "./hot-stack";
import { healthy } from "./scripted-model";

const callsAtOnce = 2;
const callMs = 100;
/** Requests a second that the model has room for, one player a call. */
const capacity = (callsAtOnce * 1_000) / callMs;

let stack: HotStack;

beforeAll(async () => {
    stack = await HotStack.start({ MODEL_MAX_CALLS: String(callsAtOnce), MODEL_BATCH_PLAYERS: "1" });
    await stack.recover();
    await stack.store("fresh");
    await stack.store("outdated", "ffffffffffff");
});
afterAll(() => stack.stop());

/** Ten times as many requests as the model has room for. */
async function flood(seconds: number, request: () => Promise<Reply>): Promise<Reply[]> {
    const replies: Promise<Reply>[] = [];
    for (let tick = 0; tick < 20 * seconds; tick += 1) {
        replies.push(...Array.from({ length: capacity / 2 }, request));
        await sleep(50);
    }
    return Promise.all(replies);
}

test("a flood of ten times the model's capacity is answered up to that capacity, and the rest is turned away at once", async () => {
    stack.model.script = async (response, players) => {
        await sleep(callMs);
        await healthy(response, players);
    };
    const startedAt = performance.now();
    const replies = await flood(3, () => stack.post([newPlayer()]));
    const elapsedMs = performance.now() - startedAt;

    const answered = replies.filter((reply) => reply.status === 200 && answerOf(reply).predictions.length === 1);
    const shed = replies.filter((reply) => reply.status === 503);
    for (const reply of shed) {
        expect(Number(reply.headers["retry-after"])).toBeGreaterThanOrEqual(1);
        expect(reply.headers["content-type"]).toBe("application/problem+json");
        expect(problemSchema.parse(JSON.parse(reply.body))).toMatchObject({ status: 503 });
    }
    // The model works all the time, and hardly ever for a request that has given up.
    expect(stack.model.mostInFlight).toBeLessThanOrEqual(callsAtOnce);
    expect(answered.length).toBeGreaterThan(stack.model.calls / 2);
    expect(stack.model.calls).toBeGreaterThan((capacity * elapsedMs) / 1_000 / 4);
    // Those who are neither answered nor turned away have waited in vain.
    expect(replies.length - answered.length - shed.length).toBeLessThan(replies.length / 10);
    expect(shed.length).toBeGreaterThan(replies.length / 2);
    await stack.recover();
});

test("a flood costs no one an answer that needs no model", async () => {
    stack.model.script = async (response, players) => {
        await sleep(callMs);
        await healthy(response, players);
    };
    const flooding = flood(2, () => stack.post([newPlayer()]));
    flooding.catch(() => undefined);
    await sleep(deadlineMs / 2);
    for (let i = 0; i < 20; i += 1) {
        expect(answerOf(await stack.post(["fresh"])).predictions).toMatchObject([{ source: "cache" }]);
        const { predictions, errors } = answerSchema.parse(JSON.parse((await stack.post(["fresh", "outdated", newPlayer()])).body));
        expect(predictions.slice(0, 2)).toMatchObject([{ playerId: "fresh" }, { playerId: "outdated" }]);
        expect(errors.length + predictions.length).toBe(3);
    }
    await flooding;
    await stack.recover();
});
