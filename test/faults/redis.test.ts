import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startLoadingRedis } from "./loading-redis";
import { answerOf, HotStack, newPlayer } from "./hot-stack";

let stack: HotStack;
let socketsAtRest: number;

beforeAll(async () => {
    stack = await HotStack.start({}, { cacheIsThere: false });
});
afterAll(() => stack.stop());

/** Stored or not, the model answers, within the deadline. */
async function expectAnswersFromModel(): Promise<void> {
    const players = ["fresh", newPlayer()];
    const reply = await stack.postInTime(() => players);
    const { predictions, errors } = answerOf(reply);
    expect(predictions).toMatchObject(players.map((playerId) => ({ playerId, source: "model" })));
    expect(errors).toEqual([]);
}

/** Stored predictions are read although no new ones can be written. */
async function expectAnswersFromBoth(): Promise<void> {
    const player = newPlayer();
    const reply = await stack.postInTime(() => ["fresh", player]);
    expect(answerOf(reply).predictions).toMatchObject([
        { playerId: "fresh", source: "cache" },
        { playerId: player, source: "model" },
    ]);
}

/** Many requests under the fault are all answered, and the handlers work again when it is over. */
async function expectRecovery(): Promise<void> {
    const replies = await Promise.all(Array.from({ length: 64 }, () => stack.post([newPlayer()])));
    for (const reply of replies) {
        expect([200, 503]).toContain(reply.status);
    }
    await stack.recover();
}

describe("with Redis", () => {
    test("down at the start: the model answers; and Redis as soon as it is there", async () => {
        await expectAnswersFromModel();
        expect((await stack.get("fresh")).status).toBe(503);
        await stack.recover();
        await Promise.all(Array.from({ length: 64 }, () => stack.post(["fresh"])));
        socketsAtRest = stack.sockets();
    });
});

describe("with a Redis that", () => {
    beforeEach(async () => {
        await stack.recover();
        await stack.store("fresh");
    });

    test.each<[string, () => void]>([
        ["is down", () => stack.parts.proxy.close()],
        ["goes down in the middle of a request", () => stack.parts.proxy.cutNextRequest()],
        ["hangs", () => stack.parts.proxy.hang()],
        ["is slower than the handlers wait for", () => stack.parts.proxy.slow(700)],
    ])("%s: the model answers", async (_, takeAway) => {
        takeAway();
        await expectAnswersFromModel();
        await expectRecovery();
    });

    test("is slow, but not too slow: stored predictions are found", async () => {
        stack.parts.proxy.slow(50);
        expect(answerOf(await stack.postInTime(() => ["fresh"])).predictions).toMatchObject([{ source: "cache" }]);
        await expectRecovery();
    });

    test("resets its connections under load: every request is answered", async () => {
        const replies = Promise.all(Array.from({ length: 200 }, () => stack.post(["fresh"])));
        stack.parts.proxy.reset();
        for (const reply of await replies) {
            expect(answerOf(reply).predictions).toMatchObject([{ playerId: "fresh" }]);
        }
        await expectRecovery();
    });

    test("has become a replica (READONLY): what is stored is read, what is new comes from the model", async () => {
        await stack.parts.admin.replicaof("127.0.0.1", "1");
        try {
            await expectAnswersFromBoth();
        } finally {
            await stack.parts.admin.replicaof("NO", "ONE");
        }
        await expectRecovery();
    });

    test("is out of memory: what is stored is read, what is new comes from the model", async () => {
        await stack.parts.admin.config("SET", "maxmemory", "1");
        try {
            await expectAnswersFromBoth();
        } finally {
            await stack.parts.admin.config("SET", "maxmemory", "0");
        }
        await expectRecovery();
    });

    test("does not take the token any more: the model answers", async () => {
        const { admin, principalId, tokens } = stack.parts;
        await admin.acl("SETUSER", principalId, "resetpass", ">another");
        await admin.client("KILL", "USER", principalId);
        await expectAnswersFromModel();
        await admin.acl("SETUSER", principalId, "resetpass", ...tokens.map((token) => `>${token}`));
        await expectRecovery();
    });

    test("reads its data after a restart (LOADING): the model answers", async () => {
        const { proxy, admin } = stack.parts;
        const loading = await startLoadingRedis(stack.parts);
        proxy.lead(loading);
        await expectAnswersFromModel();
        expect(await loading.isLoading()).toBe(true);
        // The very connections that were refused serve when the data are read.
        await loading.finish();
        await stack.recover();
        proxy.lead({ host: "127.0.0.1", port: admin.options.port as number });
        await loading.stop();
        await expectRecovery();
    });
});

test("no fault leaves sockets or memory behind", () => stack.expectNothingLeft(socketsAtRest));
