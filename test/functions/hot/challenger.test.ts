import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { StoredPrediction } from "../../../functions/clients/cache";
import { createOnlineEndpoint } from "../../../functions/clients/online-endpoint";
import { type Comparison, comparisonSchema } from "../../../functions/predict/comparison-log";
import { JsonLinesLog } from "../../../functions/predict/json-lines-log";
import { isInShare, versionChoice } from "../../../functions/predict/model-choice";
import { createPredictParts, type PredictSettings } from "../../../functions/predict/parts";
import { predict } from "../../../functions/predict/predict";
import { Shadow, type Shadowed } from "../../../functions/predict/shadow";
import { Tally } from "../../../functions/predict/tally";
import type { FingerprintedPrediction } from "../../../functions/prediction";
import { modelAnswer, ModelServer } from "./model-server";
import { hotSettings, modelVersion, playerFeatures, prediction } from "./predictions";

const ids = Array.from({ length: 20_000 }, (_, i) => String(i + 1));

describe("the challenger's share", () => {
    test.each([1, 10, 50])("is about %s %% of the players", (percent) => {
        const inShare = ids.filter((id) => isInShare(id, percent)).length;
        expect(inShare / ids.length).toBeGreaterThan((percent / 100) * 0.8);
        expect(inShare / ids.length).toBeLessThan((percent / 100) * 1.2);
    });

    test("is the same players always, all of them at 100 and none at 0, and grows by others alone", () => {
        expect(ids.filter((id) => isInShare(id, 5)).slice(0, 5)).toEqual(["14", "21", "67", "119", "177"]);
        expect(ids.every((id) => isInShare(id, 100))).toBe(true);
        expect(ids.some((id) => isInShare(id, 0))).toBe(false);
        expect(ids.every((id) => !isInShare(id, 10) || isInShare(id, 20))).toBe(true);
    });

    test("is answered by the challenger where it has a share, and by nobody else in the shadow", () => {
        const [mine = "", other = ""] = [ids.find((id) => isInShare(id, 10)), ids.find((id) => !isInShare(id, 10))];
        const share = versionChoice("live", { version: "challenger", mode: "share", percent: 10 });
        expect([share(mine), share(other)]).toEqual(["challenger", "live"]);
        expect(versionChoice("live", { version: "challenger", mode: "shadow", percent: 10 })(mine)).toBe("live");
        expect(versionChoice("live", undefined)(mine)).toBe("live");
    });
});

describe("a request", () => {
    const stored = new Map<string, StoredPrediction>();
    const written: string[] = [];
    let live: ModelServer;
    let challenger: ModelServer;
    const credential = { getToken: () => Promise.resolve({ token: "a-token", expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const [mine = "", other = ""] = [ids.find((id) => isInShare(id, 50)), ids.find((id) => !isInShare(id, 50))];
    const players = [mine, other].map((playerId) => ({ playerId, features: playerFeatures() }));

    beforeAll(async () => {
        [live, challenger] = await Promise.all([ModelServer.start(), ModelServer.start()]);
    });
    beforeEach(() => {
        stored.clear();
        written.length = 0;
        live.reset();
        challenger.reset();
        challenger.always = (asked) => ({ body: modelAnswer(asked, "challenger") });
    });
    afterAll(async () => {
        await Promise.all([live.stop(), challenger.stop()]);
    });

    /** A process, with what it answers and writes. */
    function start(change: Partial<PredictSettings>) {
        const endpoint = (server: ModelServer, deployment: string) => createOnlineEndpoint({ ONLINE_SCORING_URI: server.url, ONLINE_DEPLOYMENT: deployment }, credential);
        const put = (predictions: readonly FingerprintedPrediction[]): Promise<void> => {
            predictions.forEach((each) => stored.set(each.playerId, { ...each, freshUntil: new Date(Date.now() + 3_600_000) }));
            return Promise.resolve();
        };
        const parts = createPredictParts({
            settings: () => hotSettings({ CHALLENGER_VERSION: "challenger", CHALLENGER_PERCENT: 50, ...change }),
            cache: () => ({ getMany: (playerIds) => Promise.resolve(playerIds.map((id) => stored.get(id))), putMany: put }),
            onlineEndpoint: () => endpoint(live, "blue"),
            challenger: {
                endpoint: () => endpoint(challenger, "green"),
                comparisonFiles: () => Promise.resolve({ create: () => Promise.resolve(), append: (_: string, text: string) => Promise.resolve(void written.push(text)) }),
            },
        });
        const ask = async () => (await predict({ players, match: "player" }, parts, { deadline: Date.now() + parts.deadlineMs, log: () => undefined })).predictions;
        return { parts, versions: async () => (await ask()).map(({ prediction: { modelVersion: version }, source }) => [version, source]) };
    }

    test("is answered by each model for its players, who are then fresh under that model alone", async () => {
        const { versions } = start({ CHALLENGER_MODE: "share" });
        expect(await versions()).toEqual([["challenger", "model"], [modelVersion, "model"]]);
        expect(challenger.calls.map((call) => [call.headers["azureml-model-deployment"], call.players.map(({ playerId }) => playerId)])).toEqual([["green", [mine]]]);
        expect(live.calls.map((call) => call.players.map(({ playerId }) => playerId))).toEqual([[other]]);
        expect(await versions()).toEqual([["challenger", "cache"], [modelVersion, "cache"]]);
        // As after the end of the trial.
        expect(await start({ CHALLENGER_VERSION: "" }).versions()).toEqual([[modelVersion, "model"], [modelVersion, "cache"]]);
    });

    test("is answered by the model in service where the challenger fails", async () => {
        challenger.always = () => ({ status: 424, body: "the script failed" });
        expect(await start({ CHALLENGER_MODE: "share" }).versions()).toEqual([[modelVersion, "model"], [modelVersion, "model"]]);
    });

    test("does not wait for the challenger in the shadow", async () => {
        const held = Promise.withResolvers<void>();
        challenger.hold = held.promise;
        const { versions } = start({ CHALLENGER_MODE: "shadow" });
        expect(await versions()).toEqual([[modelVersion, "model"], [modelVersion, "model"]]);
        held.resolve();
        await expect.poll(() => challenger.calls.map((call) => call.players.map(({ playerId }) => playerId)), { timeout: 30_000 }).toEqual([[mine]]);
    });
});

describe("the shadow", () => {
    const shadowed = (playerId: string): Shadowed => ({ player: { playerId, features: { age: 39 } }, prediction: prediction(playerId), ms: 5 });

    function open(answer: (playerIds: readonly string[]) => Promise<readonly FingerprintedPrediction[]>) {
        const comparisons: Comparison[] = [];
        const calls: (readonly string[])[] = [];
        const players = new Tally<"compared" | "dropped" | "failed">();
        const labels = new Tally<"agrees" | "differs">();
        const shadow = new Shadow({
            model: {
                predict: async (asked) => {
                    calls.push(asked.map(({ playerId }) => playerId));
                    return { predictions: await answer(calls.at(-1) ?? []), errors: [] };
                },
            },
            percent: 100,
            batchPlayers: 600,
            now: () => Date.parse("2026-01-31T12:00:00Z"),
            log: { add: (comparison) => void comparisons.push(comparison) },
            players,
            labels,
        });
        return { shadow, comparisons, calls, counts: () => (["compared", "dropped", "failed"] as const).map((kind) => players.get(kind)), labels };
    }

    test("keeps what both models made of a player, and counts the labels that agree", async () => {
        const theirs = prediction("1", { modelVersion: "challenger", churn: { label: false, probability: 0.4 } });
        const { shadow, comparisons, counts, labels } = open(() => Promise.resolve([theirs]));
        shadow.offer([shadowed("1")]);
        await shadow.idle();
        expect(comparisons).toEqual([
            {
                at: "2026-01-31T12:00:00.000Z",
                playerId: "1",
                live: { version: modelVersion, ms: 5, churn: prediction("1").churn, purchase: prediction("1").purchase, segment: prediction("1").segment.name },
                challenger: { version: "challenger", ms: 0, churn: { label: false, probability: 0.4 }, purchase: theirs.purchase, segment: theirs.segment.name },
            },
        ]);
        expect(counts()).toEqual([1, 0, 0]);
        expect([labels.get("agrees"), labels.get("differs")]).toEqual([1, 1]);
    });

    test("asks one call at a time, each player once a call, and drops those for whom there is no room", async () => {
        const { shadow, calls, counts } = open((playerIds) => Promise.resolve(playerIds.map((playerId) => prediction(playerId))));
        shadow.offer(ids.slice(0, 1_200).map(shadowed));
        shadow.offer([shadowed("1")]);
        await shadow.idle();
        expect(calls.map((call) => call.length)).toEqual([600, 400]);
        expect(counts()).toEqual([1_000, 201, 0]);
        shadow.offer([shadowed("1"), shadowed("1")]);
        await shadow.idle();
        expect(calls.slice(2)).toEqual([["1"], ["1"]]);
    });

    test("goes on after a call that failed", async () => {
        let first = true;
        const { shadow, counts } = open((playerIds) => {
            const fails = first;
            first = false;
            return fails ? Promise.reject(new Error("down")) : Promise.resolve(playerIds.map((playerId) => prediction(playerId)));
        });
        shadow.offer([shadowed("1")]);
        await shadow.idle();
        shadow.offer([shadowed("2")]);
        await shadow.idle();
        expect(counts()).toEqual([1, 0, 1]);
    });
});

describe("the comparisons", () => {
    const comparison = (playerId: string): Comparison => ({
        at: "2026-01-31T12:00:00.000Z",
        playerId,
        live: { version: "a", ms: 1, churn: { label: true, probability: 1 }, purchase: { label: true, probability: 1 }, segment: "s" },
    });

    test("are added to a file a process and day, as lines of JSON", async () => {
        const done: [string, string, string?][] = [];
        let now = Date.parse("2026-01-31T23:59:00Z");
        const files = { create: (path: string) => Promise.resolve(void done.push(["create", path])), append: (path: string, text: string) => Promise.resolve(void done.push(["append", path, text])) };
        const log = new JsonLinesLog<Comparison>(() => Promise.resolve(files), () => now, (error) => expect.fail(String(error)));
        await log.flush();
        for (const playerId of ["1", "2", "3"]) {
            log.add(comparison(playerId));
            await log.flush();
            now += playerId === "2" ? 3_600_000 : 0;
        }
        const [first = "", next = ""] = [done[0]?.[1], done[3]?.[1]];
        expect(done.map(([what, path]) => [what, path])).toEqual([["create", first], ["append", first], ["append", first], ["create", next], ["append", next]]);
        expect([first, next].map((path) => path.slice(0, 11))).toEqual(["2026-01-31/", "2026-02-01/"]);
        const texts = done.flatMap(([, , text]) => (text === undefined ? [] : [text]));
        expect(texts.every((text) => text.endsWith("}\n"))).toBe(true);
        expect(texts.map((text) => comparisonSchema.parse(JSON.parse(text)).playerId)).toEqual(["1", "2", "3"]);
    });

    test("that cannot be written are lost, and those that follow are not", async () => {
        const reported: unknown[] = [];
        const texts: string[] = [];
        let down = true;
        const files = { create: () => Promise.resolve(), append: (_: string, text: string) => (down ? Promise.reject(new Error("down")) : Promise.resolve(void texts.push(text))) };
        const log = new JsonLinesLog<Comparison>(() => Promise.resolve(files), Date.now, (error) => reported.push(error));
        log.add(comparison("1"));
        await log.flush();
        down = false;
        log.add(comparison("2"));
        await log.flush();
        expect(reported).toHaveLength(1);
        expect(texts.join("")).toContain('"2"');
        expect(texts.join("")).not.toContain('"1"');
    });
});
