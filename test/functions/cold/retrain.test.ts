import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createCommandJobs } from "../../../functions/clients/command-jobs";
import { tellOfTraining } from "../../../functions/retrain/outcome";
import { retrain, RetrainError } from "../../../functions/retrain/retrain";
import { isTrainingJob } from "../../../functions/retrain/training-job";
import { type BatchServer, jobBody, startBatchServer } from "./batch-server";
import { type ColdParts, startColdParts } from "./parts";

const settings = {
    TRAINING_FOLDER: "players/_labelled",
    TRAINING_CODE: "code 1",
    TRAINING_ENVIRONMENT: "environment 1",
    TRAINING_COMPUTE: "cluster",
    TRAINING_IDENTITY: "client",
    TRAINING_CURRENT_MODEL: "azureml://datastores/assets/paths/models/1",
    TRAINING_CANDIDATES: "azureml://datastores/models/paths/candidates",
    TRAINING_SEARCH_SECONDS: 0,
};

describe("retraining", () => {
    let parts: ColdParts;
    let server: BatchServer;
    /** State of each job that the workspace has. */
    let states: Map<string, string>;
    let lines: string[];
    beforeAll(async () => {
        parts = await startColdParts();
    });
    afterAll(() => parts.stop());
    beforeEach(async () => {
        await parts.clear();
        server = await startBatchServer();
        states = new Map();
        lines = [];
        server.answer = ({ method, url }) => {
            const name = /^\/jobs\/([^?]+)/.exec(url ?? "")?.[1] ?? "";
            if (method === "PUT") {
                if (states.has(name)) {
                    return { status: 400, body: "A job with this name already exists." };
                }
                states.set(name, "Queued");
            }
            const status = states.get(name);
            return status === undefined ? { status: 404, body: "" } : { status: 200, body: jobBody(name, status) };
        };
        await put("players/_labelled/a.csv", "idx,age");
        return () => server.stop();
    });

    function jobs() {
        return createCommandJobs(server.uri, parts.credential);
    }

    async function put(path: string, text: string, container = "logs"): Promise<void> {
        await parts.container(container).getBlockBlobClient(path).upload(text, Buffer.byteLength(text));
    }

    function run(changed: Partial<typeof settings> = {}) {
        return retrain({ settings: { ...settings, ...changed }, lake: parts.lake, jobs: jobs(), log: (line) => lines.push(line) });
    }

    function submissions() {
        return server.requests.filter(({ method }) => method === "PUT").map(({ body }) => JSON.parse(body) as { properties: Record<string, unknown> });
    }

    test("starts a job over the players, beside the model in service, into a folder of its own", async () => {
        const { outcome, job } = await run();
        expect(outcome).toBe("submitted");
        expect(isTrainingJob(job)).toBe(true);
        const [submitted] = submissions();
        expect(submitted?.properties).toMatchObject({
            inputs: { players: { uri: `${parts.lake.containerUrl("logs")}/players/_labelled` }, current: { uri: settings.TRAINING_CURRENT_MODEL } },
            outputs: { candidate: { uri: `${settings.TRAINING_CANDIDATES}/${job}` } },
            identity: { identityType: "Managed", clientId: "client" },
            limits: { timeout: "PT14400S" },
        });
        expect(submitted?.properties.command).toContain('python -u train.py --data "${{inputs.players}}" --out model ||');
        expect(JSON.parse(lines[0] ?? "")).toEqual({ event: "retrain", folder: "players/_labelled", files: 1, outcome, job });
    });

    test("looks for better settings for as long as it is given", async () => {
        await run({ TRAINING_SEARCH_SECONDS: 600 });
        expect(submissions()[0]?.properties).toMatchObject({ command: expect.stringContaining("--out model --search 600 ||") as string, limits: { timeout: "PT15000S" } });
    });

    test("starts one job for the same players, code and model, however often and however much at once it runs", async () => {
        const runs = await Promise.all([run(), run(), run()]);
        expect(new Set(runs.map(({ job }) => job)).size).toBe(1);
        expect(await run()).toEqual({ outcome: "running", job: runs[0].job });
        states.set(runs[0].job, "Completed");
        expect(await run()).toEqual({ outcome: "trained", job: runs[0].job });
        expect(states.size).toBe(1);
    });

    test.each([
        ["players", () => put("players/_labelled/b.jsonl.gz", "x"), {}],
        ["versions of a file", () => put("players/_labelled/a.csv", "idx,age,country"), {}],
        ["code", () => Promise.resolve(), { TRAINING_CODE: "code 2" }],
        ["models in service", () => Promise.resolve(), { TRAINING_CURRENT_MODEL: "azureml://datastores/assets/paths/models/2" }],
    ])("starts another job for other %s", async (_what, change, changed) => {
        const { job } = await run();
        await change();
        expect(await run(changed)).toMatchObject({ outcome: "submitted", job: expect.not.stringContaining(job) as string });
    });

    test("tries again after a job that failed without a model, and not after one that the gate refused", async () => {
        const first = await run();
        states.set(first.job, "Failed");
        const second = await run();
        expect(second).toEqual({ outcome: "submitted", job: `${first.job}-2` });
        expect(isTrainingJob(second.job)).toBe(true);
        states.set(second.job, "Failed");
        await put(`candidates/${second.job}/model/model.json`, JSON.stringify({ version: "v", gate: { passed: false, reasons: ["worse"] } }), "models");
        expect(await run()).toEqual({ outcome: "refused", job: second.job });
        expect(states.size).toBe(2);
    });

    test("repeats what failed in passing, which starts no second job where the first was taken without an answer", async () => {
        const answer = server.answer;
        server.answer = async (request) => {
            const given = await answer(request);
            const call = server.requests.length;
            return call === 1 ? { status: 503, body: "" } : call === 3 ? "hangUp" : given;
        };
        const { outcome, job } = await run();
        expect([outcome, [...states.keys()]]).toEqual(["running", [job]]);
    });

    test.each([
        [{ TRAINING_FOLDER: "" }, /^there is nothing to train on: set player-predictions:trainingFolder, and bring the stack up$/],
        [{ TRAINING_FOLDER: "players/none" }, /^logs\/players\/none \(player-predictions:trainingFolder\) has no file of players, expected/],
    ])("says what to do where there is nothing to train on: %j", async (changed, message) => {
        const failure: unknown = await run(changed).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(RetrainError);
        expect((failure as Error).message).toMatch(message);
        expect(server.requests).toEqual([]);
    });

    describe("tells how a training ended", () => {
        const job = "retrain-0123456789abcdef";
        let errors: string[];
        beforeEach(() => {
            errors = [];
        });

        function tell() {
            return tellOfTraining(job, { lake: parts.lake, jobs: jobs(), log: (line) => lines.push(line), error: (line) => errors.push(line) });
        }

        const model = (passed: boolean, reasons: string[]) => put(`candidates/${job}/model/model.json`, JSON.stringify({ version: "v", gate: { passed, reasons } }), "models");
        const ended = { event: "retrain", step: "ended", job, folder: `models/candidates/${job}` };

        test("with a candidate", async () => {
            states.set(job, "Completed");
            await model(true, []);
            expect(await tell()).toBe("candidate");
            expect([lines.map((line) => JSON.parse(line) as unknown), errors]).toEqual([[{ ...ended, outcome: "candidate", status: "Completed", model: "v", reasons: [] }], []]);
        });

        test("with one that the gate refused, by its reasons", async () => {
            states.set(job, "Failed");
            await model(false, ["churn ROC AUC is 0.7"]);
            expect(await tell()).toBe("refused");
            expect(errors.map((line) => JSON.parse(line) as unknown)).toEqual([{ ...ended, outcome: "refused", status: "Failed", model: "v", reasons: ["churn ROC AUC is 0.7"] }]);
        });

        test.each(["Failed", "Canceled"])("without one: %s", async (status) => {
            states.set(job, status);
            expect(await tell()).toBe("failed");
            expect(errors.map((line) => JSON.parse(line) as unknown)).toEqual([{ ...ended, outcome: "failed", status }]);
        });

        test.each(["Running", undefined])("and nothing of what has not ended: %s", async (status) => {
            if (status !== undefined) {
                states.set(job, status);
            }
            expect(await tell()).toBe("open");
            expect([lines, errors]).toEqual([[], []]);
        });
    });
});

test.each([
    ["retrain-0123456789abcdef", true],
    ["retrain-0123456789abcdef-12", true],
    ["batchjob-0123456789abcdef", false],
    ["retrain-0123456789abcdef_child", false],
])("%s is a training: %s", (name, is) => {
    expect(isTrainingJob(name)).toBe(is);
});
