import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerOf, HotStack, newPlayer, type Reply } from "./hot-stack";
import { answering, changing, hanging, resetting, trickling, type Script } from "./scripted-model";

let stack: HotStack;
let socketsAtRest: number;

beforeAll(async () => {
    stack = await HotStack.start();
    await stack.recover();
    await stack.store("fresh");
    await stack.store("outdated", "ffffffffffff");
    await Promise.all(Array.from({ length: 64 }, () => stack.post(["fresh"])));
    socketsAtRest = stack.sockets();
});
beforeEach(() => stack.recover());
afterAll(() => stack.stop());

/** What a request is answered when the model has no answer for it, within the deadline. */
async function expectAnswersWithoutModel(): Promise<void> {
    const reply = await stack.postInTime(() => ["fresh", "outdated", newPlayer()]);
    const { predictions, errors } = answerOf(reply);
    expect(predictions).toMatchObject([
        { playerId: "fresh", source: "cache" },
        { playerId: "outdated", source: "stale", modelVersion: "ffffffffffff" },
    ]);
    expect(errors).toMatchObject([{ code: "model_unavailable" }]);
}

/** Many requests under the fault are all answered, and the handlers work again when it is over. */
async function expectRecovery(): Promise<void> {
    for (const reply of await burst()) {
        expect(answerOf(reply).predictions).toMatchObject([{ playerId: "fresh", source: "cache" }]);
    }
    await stack.recover();
}

function burst(): Promise<Reply[]> {
    return Promise.all(Array.from({ length: 64 }, () => stack.post([newPlayer(), "fresh"])));
}

const without = (key: string) => (text: string) => text.replaceAll(new RegExp(`"${key}":[^,}]*`, "g"), `"${key}":NaN`);

describe("with a model that", () => {
    test.each<[string, Script]>([
        ["hangs", hanging],
        ["cuts the connection", resetting],
        ["ran over its own time limit (408)", answering(408, "upstream request timeout")],
        ["failed by itself (424)", answering(424, '{"message":"An unexpected error occurred in scoring script."}')],
        ["is throttled (429)", answering(429, "too many requests")],
        ["is throttled (429) and asks to wait for longer than the deadline", answering(429, "too many requests", { "retry-after": "30" })],
        ["answers 500", answering(500, "")],
        ["answers 502", answering(502, "<html>bad gateway</html>")],
        ["answers 503", answering(503, "no healthy upstream")],
        ["answers 504", answering(504, "")],
        ["answers for too few players", changing(() => '{"modelVersion":"0123456789ab","predictions":[],"errors":[]}')],
        ["answers for players that it was not asked about", changing((text) => text.replaceAll('"playerId":"', '"playerId":"x'))],
        ["gives scores that are no numbers", changing(without("probability"))],
        ["gives scores out of their range", changing((text) => text.replaceAll(/"probability":[\d.]+/g, '"probability":1.5'))],
        ["answers half of its JSON", changing((text) => text.slice(0, text.length / 2))],
        ["answers a page of HTML with status 200", answering(200, "<html></html>", { "content-type": "text/html" })],
        ["sends its answer too slowly", trickling],
        ["redirects", answering(302, "", { location: "http://127.0.0.1:9/" })],
    ])("%s: stored predictions, and an error for the others alone", async (_, script) => {
        stack.model.script = script;
        await expectAnswersWithoutModel();
        expect(stack.model.calls).toBeGreaterThan(0);
        await expectRecovery();
    });

    test.each<[string, () => void]>([
        ["is down", () => stack.modelProxy.close()],
        ["cannot be heard from", () => stack.modelProxy.hang()],
        ["goes down in the middle of a request", () => stack.modelProxy.cutNextRequest()],
    ])("%s: stored predictions, and an error for the others alone", async (_, takeAway) => {
        takeAway();
        await expectAnswersWithoutModel();
        await expectRecovery();
    });

    test("is throttled (429) for a moment and says so: the answer of the second call", async () => {
        stack.model.script = (response, players) => {
            stack.model.reset();
            return answering(429, "too many requests", { "retry-after": "0" })(response, players);
        };
        const playerId = newPlayer();
        expect(answerOf(await stack.post([playerId])).predictions).toMatchObject([{ playerId, source: "model" }]);
    });
});

describe("with Redis and the model", () => {
    test.each<[string, () => void]>([
        ["down", () => (stack.parts.proxy.close(), stack.modelProxy.close())],
        ["hanging", () => (stack.parts.proxy.hang(), stack.modelProxy.hang())],
    ])("both %s: an error for each player, and one answer all the same", async (_, takeAway) => {
        takeAway();
        const reply = await stack.postInTime(() => ["fresh", newPlayer()]);
        const { predictions, errors } = answerOf(reply);
        expect(predictions).toEqual([]);
        expect(errors.map((error) => error.code)).toEqual(["model_unavailable", "model_unavailable"]);
        for (const { status } of await burst()) {
            expect([200, 503]).toContain(status);
        }
        await stack.recover();
    });
});

test("no fault leaves sockets or memory behind", () => stack.expectNothingLeft(socketsAtRest));
