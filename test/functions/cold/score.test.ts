import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { maxRefusals } from "../../../functions/batches/retries";
import { MessageError, parseBlobCreated } from "../../../functions/events/blob-created";
import { BatchBusyError } from "../../../functions/score/claim";
import { folderUri } from "../../../functions/clients/lake-paths";
import { scoreReadyFolder } from "../../../functions/score/score";
import { Batches, folder } from "./batches";
import { mortal } from "./mortal";
import { type ColdParts, startColdParts } from "./parts";

describe("score", () => {
    let parts: ColdParts;
    let batches: Batches;
    beforeAll(async () => {
        parts = await startColdParts();
    });
    afterAll(() => parts.stop());
    beforeEach(async () => {
        batches = await Batches.start(parts);
        return () => batches.server.stop();
    });

    const given = () => batches.given();

    test("starts one job for a completed folder, however often and at the same time it is told of it", async () => {
        const event = await batches.completed();
        const outcomes = await Promise.allSettled([event, event, event].map((told) => scoreReadyFolder(told, given())));
        expect(outcomes.filter((outcome) => outcome.status === "fulfilled" && outcome.value === "submitted")).toHaveLength(1);
        for (const outcome of outcomes) {
            expect(outcome.status === "fulfilled" ? outcome.value : outcome.reason).toSatisfy(
                (value) => value === "submitted" || value === "already-submitted" || value instanceof BatchBusyError,
            );
        }
        expect(await scoreReadyFolder(event, given())).toBe("already-submitted");

        const state = await batches.state();
        expect(state).toEqual({
            batch: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
            folder,
            marker: event.etag,
            status: "submitted",
            attempt: 1,
            failedJobs: 0,
            refusals: 0,
            files: 1,
            outputPath: `${folder}/${state.batch}`,
            job: "job-1",
            jobStatus: "Queued",
            createdAt: "2026-01-31T12:00:00.000Z",
            updatedAt: "2026-01-31T12:00:00.000Z",
        });
        expect(batches.outputs()).toEqual([`${state.outputPath}/`]);
        expect(batches.inputs()).toEqual([`${parts.account.blobEndpoint}/logs/${folder}`]);
        expect(batches.stepNames()).toEqual(["claimed", "submitted", "settled"]);
    });

    test("starts no job for the same files, though the marker was written again", async () => {
        await scoreReadyFolder(await batches.completed(), given());
        expect(await scoreReadyFolder(await batches.marked(), given())).toBe("already-submitted");
        expect(batches.outputs()).toHaveLength(1);
    });

    test.each<[string, () => Promise<void>]>([
        ["written again", () => batches.write("logs", `${folder}/part-0.csv`, "rows")],
        ["added", () => batches.write("logs", `${folder}/region=a/part-1.csv`, "rows")],
        ["taken away", () => parts.lake.remove("logs", `${folder}/part-1.csv`)],
    ])("starts another job where a file was %s, which writes elsewhere", async (_what, change) => {
        const before = await batches.completed(folder, { "part-0.csv": "rows", "part-1.csv": "more" });
        await scoreReadyFolder(before, given());
        await change();
        expect(await scoreReadyFolder(await batches.marked(), given())).toBe("submitted");
        // The event of before comes late: what it tells of is scored.
        expect(await scoreReadyFolder(before, given())).toBe("already-submitted");
        expect(new Set(batches.outputs()).size).toBe(2);
    });

    test("scores no folder that has a complete one below it: what is below would be scored again, with old logs as new predictions", async () => {
        const below = `${folder}/region=a`;
        await batches.completed(below);
        const event = await batches.completed();
        expect(await scoreReadyFolder(event, given())).toBe("poisoned");
        expect(batches.outputs()).toEqual([]);
        const reason = `folder "${folder}" has files of its own and the complete folder "${below}" below it`;
        expect(await batches.state()).toMatchObject({ folder, status: "poisoned", reason: expect.stringContaining(reason) as string });
        expect(batches.sent).toMatchObject([{ queue: "folders-ready-poison", message: { poisoned: { attempt: 1, reason: expect.stringContaining(reason) as string } } }]);

        // Its marker gone, the message that is put back starts the job.
        await parts.lake.remove("logs", `${below}/_SUCCESS`);
        expect(await scoreReadyFolder(event, given())).toBe("poisoned");
        expect(await scoreReadyFolder(event, given(), 1)).toBe("submitted");
        expect(await scoreReadyFolder(await batches.marked(below), given())).toBe("submitted");
    });

    test("does not look at files that no job scores", async () => {
        await scoreReadyFolder(await batches.completed(), given());
        for (const [name, text] of Object.entries({ _metadata: "x", ".hidden.csv": "x", "empty.csv": "", "other/_committed": "x" })) {
            await batches.write("logs", `${folder}/${name}`, text);
        }
        await batches.write("logs", `${folder}-other/part-0.csv`, "rows");
        expect(await scoreReadyFolder(await batches.marked(), given())).toBe("already-submitted");
    });

    test("starts none while the folder is being changed: its marker is gone", async () => {
        const event = await batches.completed();
        await parts.lake.remove("logs", event.path);
        expect(await scoreReadyFolder(event, given())).toBe("outdated");
        expect(batches.server.requests).toEqual([]);
    });

    test("starts none for a folder without a file to score", async () => {
        expect(await scoreReadyFolder(await batches.completed(folder, { "empty.csv": "" }), given())).toBe("empty");
        expect(batches.server.requests).toEqual([]);
    });

    test("takes the top of the container for a folder", async () => {
        const event = await batches.completed("");
        expect(event.path).toBe("_SUCCESS");
        await scoreReadyFolder(event, given());
        expect(batches.inputs()).toEqual([`${parts.account.blobEndpoint}/logs`]);
    });

    test.each([
        ["another container", { container: "predictions", path: "a/_SUCCESS" }],
        ["another blob", { container: "logs", path: "a/part-0000.csv" }],
        ["a name that only ends like the marker", { container: "logs", path: "a/NOT_SUCCESS" }],
    ])("refuses the event of %s", async (_name, blob) => {
        await expect(scoreReadyFolder({ ...blob, etag: "0x1" }, given())).rejects.toBeInstanceOf(MessageError);
    });

    test("tries again later when the endpoint refuses, with an output folder of its own", async () => {
        const event = await batches.completed();
        const accept = batches.server.answer;
        batches.server.answer = () => ({ status: 400, body: "datastore not found" });
        expect(await scoreReadyFolder(event, given())).toBe("refused");
        const refused = await batches.state();
        expect(refused).toMatchObject({ status: "refused", refusals: 1, reason: expect.stringContaining("datastore not found") as string });
        expect(batches.sent).toMatchObject([{ queue: "folders-ready", delaySeconds: 30 }]);
        expect(parseBlobCreated(batches.sent[0]?.message)).toEqual(event);

        batches.server.answer = accept;
        expect(await scoreReadyFolder(event, given())).toBe("submitted");
        const taken = await batches.state();
        expect(taken).toMatchObject({ status: "submitted", attempt: 2, refusals: 0, outputPath: `${folder}/${taken.batch}-2`, job: "job-1" });
        expect(taken).not.toHaveProperty("reason");
    });

    test("gives up when the endpoint refuses for an hour; the poison message has the reason, and starts the batch anew when it is put back", async () => {
        const event = await batches.completed();
        const accept = batches.server.answer;
        batches.server.answer = () => ({ status: 403, body: "no right to submit" });
        for (let refusals = 1; refusals < maxRefusals; refusals += 1) {
            expect(await scoreReadyFolder(event, given())).toBe("refused");
        }
        expect(batches.sent.map(({ delaySeconds }) => delaySeconds)).toEqual([30, 60, 120, 240, 480, 960, 1_800]);
        expect(await scoreReadyFolder(event, given())).toBe("poisoned");
        const { queue, message } = batches.sent.at(-1) ?? {};
        expect(queue).toBe("folders-ready-poison");
        expect(message).toMatchObject({ poisoned: { attempt: maxRefusals, reason: expect.stringContaining("no right to submit") as string } });
        expect(await batches.state()).toMatchObject({ status: "poisoned", reason: expect.stringContaining("no right") as string });

        batches.server.answer = accept;
        // A late repetition of the first event is nobody's word to try again.
        expect(await scoreReadyFolder(event, given())).toBe("poisoned");
        expect(await scoreReadyFolder(event, given(), maxRefusals - 1)).toBe("poisoned");
        expect(await scoreReadyFolder(parseBlobCreated(message), given(), maxRefusals)).toBe("submitted");
        expect(await batches.state()).toMatchObject({ status: "submitted", attempt: maxRefusals + 1, refusals: 0 });
        expect(await scoreReadyFolder(parseBlobCreated(message), given(), maxRefusals)).toBe("already-submitted");
    });

    test("waits after a call without an answer, as the job may run, and takes over once nobody can be at it", async () => {
        const event = await batches.completed();
        const accept = batches.server.answer;
        batches.server.answer = () => "hangUp";
        expect(await scoreReadyFolder(event, given())).toBe("refused");
        expect(await batches.state()).toMatchObject({ status: "submitting", refusals: 1 });
        expect(batches.sent).toMatchObject([{ queue: "folders-ready", delaySeconds: 60 }]);
        batches.server.answer = accept;
        await expect(scoreReadyFolder(event, given())).rejects.toBeInstanceOf(BatchBusyError);
        batches.clock += 60_000;
        expect(await scoreReadyFolder(event, given())).toBe("submitted");
    });

    // The state is written, the job is submitted, the state is written again.
    test.each([1, 2, 3].flatMap((call) => [["before", call] as const, ["after", call] as const]))(
        "killed %s change %i, is finished by a later delivery",
        async (when, call) => {
            const event = await batches.completed();
            const life = mortal(call, when);
            const killed = { ...given(), lake: life.wrap(parts.lake, ["writeText"]), endpoint: life.wrap(batches.endpoint, ["submit"]) };
            await scoreReadyFolder(event, killed).catch(() => undefined);
            expect(life.dead).toBe(true);

            batches.clock += 60_000;
            await scoreReadyFolder(event, given());
            const jobs = batches.outputs();
            expect(await batches.state()).toMatchObject({ status: "submitted", job: `job-${jobs.length}` });
            // Killed between the endpoint's answer and writing it down, nobody can know: the second job then writes elsewhere.
            expect(new Set(jobs).size).toBe(jobs.length);
            expect(jobs).toHaveLength((when === "after" && call === 2) || (when === "before" && call === 3) ? 2 : 1);
        },
    );

    test("fails, and leaves the batch to the next delivery, when the lake is down", async () => {
        const event = await batches.completed();
        const lake = { ...parts.lake, readText: () => Promise.reject(new Error("down")) };
        await expect(scoreReadyFolder(event, { ...given(), lake })).rejects.toThrow("down");
        expect(await scoreReadyFolder(event, given())).toBe("submitted");
    });
});

test("a folder's URL encodes what a URL must, and leaves partitions as they are", () => {
    expect(folderUri("https://lake.example/logs", "한 국/dt=2026-01-31/a+b%20#?")).toBe(
        "https://lake.example/logs/%ED%95%9C%20%EA%B5%AD/dt=2026-01-31/a%2Bb%2520%23%3F",
    );
});
