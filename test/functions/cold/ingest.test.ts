import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLake } from "../../../functions/clients/lake";
import { createSourceBucket } from "../../../functions/clients/source-bucket";
import { ingest } from "../../../functions/ingest/ingest";
import { defaultLimits } from "../../../functions/ingest/limits";
import { IngestError, summaryPath } from "../../../functions/ingest/summary";
import { manyObjects } from "./s3-front";
import { audience, type IngestWorld, startIngestWorld } from "./ingest-world";

describe("ingest from S3 to the lake", () => {
    let world: IngestWorld;
    const audiences: string[] = [];

    beforeAll(async () => {
        world = await startIngestWorld();
        world.parts.identity.onIssue((token) => {
            audiences.push(token.audience);
            return Promise.resolve();
        });
        // The first run of all makes the Python environment.
    }, 600_000);
    afterAll(() => world.stop());

    afterEach(async () => {
        world.front.reset();
        await world.parts.clear();
    });

    const logs = () => world.parts.contents("logs");

    test("brings every key over as it is, with one marker a folder, and then nothing more", async () => {
        const objects = {
            "players/dt=2026-01-31/part-0000.csv": "idx\n1\n",
            "players/한국어/플레이어 로그.csv": "밤",
            "players/with space+plus%20percent%.csv": "x",
            "players/question?mark#hash&.csv": "x",
            "players/a": "object beside a folder",
            "players/a/b": "object in the folder",
            "players/empty.csv": "",
            "players/dots.and.": "x",
            // A key has at most 1,024 bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
            [`players/${"길".repeat(338)}ab`]: "x",
        };
        await world.fill({ ...objects, "players/folder/": "", "players/a/": "", "elsewhere/x": "x" });
        const { summary, failure } = await world.run();
        expect(failure).toBeUndefined();
        const folders = ["players", "players/a", "players/dt=2026-01-31", "players/한국어"];
        expect(summary).toMatchObject({ outcome: "complete", listed: 9, copied: 9, skipped: 0, failed: [] });
        expect(summary.bytes).toBe(Object.values(objects).reduce((sum, content) => sum + Buffer.byteLength(content), 0));
        expect(summary.folders.toSorted()).toEqual(folders);
        const markers = Object.fromEntries(folders.map((folder) => [`${folder}/_SUCCESS`, ""]));
        expect(await logs()).toEqual({ ...objects, ...markers });
        expect(audiences).toContain(audience);

        const again = await world.run();
        expect(again.failure).toBeUndefined();
        expect(again.summary).toMatchObject({ listed: 9, copied: 0, skipped: 9, bytes: 0, folders: [] });
    });

    test("keeps what the studio says of an object, and leaves compressed content as it is", async () => {
        await world.fill({});
        await world.s3.send(
            new PutObjectCommand({
                Bucket: world.bucket,
                Key: "players/a.csv.gz",
                Body: Buffer.from([0x1f, 0x8b, 0x08, 0x00]),
                ContentType: "text/csv",
                ContentEncoding: "gzip",
                Metadata: { "made-by": "exporter 2", "2nd": "b" },
            }),
        );
        expect((await world.run()).failure).toBeUndefined();
        const blob = world.parts.container("logs").getBlobClient("players/a.csv.gz");
        expect(await blob.getProperties()).toMatchObject({
            contentType: "text/csv",
            contentEncoding: "gzip",
            metadata: { made_by: "exporter 2", _2nd: "b" },
        });
        expect([...(await blob.downloadToBuffer())]).toEqual([0x1f, 0x8b, 0x08, 0x00]);
    });

    test("brings more than a page", async () => {
        const keys = Array.from({ length: 2_500 }, (_, index) => `players/${index % 3}/${String(index).padStart(5, "0")}`);
        await world.fill({});
        world.front.intercept = manyObjects(keys.toSorted(), "x");
        const { summary, failure } = await world.run();
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ listed: 2_500, copied: 2_500, folders: ["players/0", "players/1", "players/2"] });
        const found: string[] = [];
        for await (const { path } of world.parts.lake.list("logs", "players/")) {
            found.push(path);
        }
        expect(found.filter((path) => !path.endsWith("_SUCCESS"))).toEqual(keys.toSorted());
        expect((await world.run()).summary).toMatchObject({ copied: 0, skipped: 2_500, folders: [] });
    }, 600_000);

    test("brings changed and new objects, and marks the folders of these alone again", async () => {
        await world.fill({ "players/a/1": "old", "players/a/2": "same", "players/b/1": "same" });
        await world.run();
        const marker = (folder: string) => world.parts.lake.find("logs", `players/${folder}/_SUCCESS`);
        const [a, b] = [await marker("a"), await marker("b")];
        await world.put({ "players/a/1": "new", "players/a/3": "added", "players/c/1": "added" });
        expect((await world.run()).summary).toMatchObject({ copied: 3, skipped: 2, folders: ["players/a", "players/c"] });
        expect(await logs()).toMatchObject({ "players/a/1": "new", "players/a/3": "added", "players/c/1": "added" });
        expect((await marker("a"))?.etag).not.toBe(a?.etag);
        expect((await marker("b"))?.etag).toBe(b?.etag);
    });

    test("marks a folder when its objects are there, before the listing has ended, and not before them", async () => {
        const objects = { "players/a/_SUCCESS": "by Spark", "players/a/part-0": "x", "players/a/zz": "x", "players/b/1": "x", "players/b/c/2": "x" };
        await world.fill(objects);
        const { lines } = await world.run({ limits: { ...defaultLimits(), objects: 1 } });
        const written = lines.flatMap(({ event, key, folder }) =>
            event === "ingest:committed" ? [key] : event === "ingest:marker" ? [`${String(folder)}/_SUCCESS`] : [],
        );
        expect(written).toEqual([
            "players/a/part-0",
            "players/a/zz",
            "players/a/_SUCCESS",
            "players/b/1",
            "players/b/c/2",
            "players/b/_SUCCESS",
            "players/b/c/_SUCCESS",
        ]);
        expect((await logs())["players/a/_SUCCESS"]).toBe("");
    });

    test("refuses a key that would leave its container, and brings the others", async () => {
        await world.fill({ "players/b/1": "one" });
        const { source } = world;
        const { summary, failure } = await world.run({
            source: {
                ...source,
                async *list() {
                    yield { key: "players/../../predictions/x.csv", etag: '"x"', size: 1 };
                    yield* source.list();
                },
            },
        });
        expect(failure).toBeInstanceOf(IngestError);
        expect(summary).toMatchObject({ outcome: "incomplete", listed: 2, copied: 1, folders: ["players/b"] });
        expect(await world.parts.contents("predictions")).toEqual({});
    });

    test("copies nothing twice when the two sides list in different orders", async () => {
        await world.fill({ "players/1": "1", "players/2": "2", "players/3": "3", "players/4": "4" });
        await world.run();
        const { source } = world;
        const { summary, failure } = await world.run({
            source: {
                ...source,
                async *list() {
                    const listed = [];
                    for await (const object of source.list()) {
                        listed.push(object);
                    }
                    yield* listed.reverse();
                },
            },
        });
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ copied: 0, skipped: 4, folders: [] });
    });

    test("asks the lake for no object that its listing tells of, or tells that it is not there", async () => {
        await world.fill({ "players/a/1": "1", "players/a/2": "2" });
        await world.run();
        await world.put({ "players/b/1": "1", "players/b/2": "2" });
        const asked: string[] = [];
        const { lake } = world.parts;
        const watched = {
            ...lake,
            find: (container: string, path: string) => {
                asked.push(path);
                return lake.find(container, path);
            },
        };
        expect((await world.run({ lake: watched })).summary).toMatchObject({ copied: 2, skipped: 2 });
        expect(asked).toEqual(["players/a/_SUCCESS"]);
    });

    test("keeps what a run did", async () => {
        await world.fill({ "players/a/1": "one", "players/a/2": "" });
        const { summary, lines } = await world.run({ now: () => new Date("2026-01-31T03:15:00.000Z") });
        const kept = await world.parts.contents("runs");
        expect(Object.keys(kept).toSorted()).toEqual(["ingest.lock", "ingest/2026-01-31T03-15-00.000Z.json"]);
        const told = JSON.parse(kept[summaryPath(summary.startedAt)] ?? "") as typeof summary;
        expect(summary).toEqual({ event: "ingest:summary", ...told });
        expect(told).toEqual({
            outcome: "complete",
            bucket: world.bucket,
            prefix: "players/",
            startedAt: "2026-01-31T03:15:00.000Z",
            seconds: 0,
            listed: 2,
            brokeOff: false,
            copied: 2,
            skipped: 0,
            failed: [],
            bytes: 3,
            ways: { url: 0, stream: 2 },
            streamedBytes: 3,
            urlRefused: 1,
            verified: { crc64: 0, md5: 2, length: 0 },
            folders: ["players/a"],
        });
        const events = lines.map(({ event }) => event);
        expect(events.slice(0, 2)).toEqual(["ingest:lease", "ingest:listing"]);
        expect(events.slice(-2)).toEqual(["ingest:marker", "ingest:summary"]);
        expect(events).toEqual(expect.arrayContaining(["ingest:copy-start", "ingest:verified", "ingest:committed"]));
    });

    test("ends with an error when the bucket or the lake is down, and marks nothing", async () => {
        await world.fill({ "players/a/1": "one" });
        const down = createSourceBucket(
            { AWS_REGION: "eu-west-1", S3_ENDPOINT: "https://127.0.0.1:1", SOURCE_BUCKET: world.bucket, SOURCE_PREFIX: "players/" },
            () => Promise.resolve({ accessKeyId: "key", secretAccessKey: "secret" }),
        );
        expect((await world.run({ source: down })).failure).toBeInstanceOf(IngestError);
        expect(await logs()).toEqual({});

        const lake = createLake({ Lake__blobServiceUri: "https://127.0.0.1:1/lake" }, world.parts.credential);
        const nowhere = { source: world.source, lake, now: () => new Date(), log: () => undefined, trace: () => undefined };
        await expect(ingest(nowhere)).rejects.toMatchObject({ name: "LakeError", retryable: true });
    });

    test("gives up after a hundred failures instead of trying every object, and marks no folder of theirs", async () => {
        await world.fill(Object.fromEntries(Array.from({ length: 130 }, (_, index) => [`players/${index}/x`, "x"] as const)));
        const read = () => Promise.reject(new Error("S3 is down"));
        const { summary, failure } = await world.run({ source: { ...world.source, read } });
        expect(summary.failed.length).toBeGreaterThanOrEqual(100);
        expect(summary.listed).toBeLessThan(130);
        expect(summary.brokeOff).toBe(true);
        expect(failure).toMatchObject({ message: expect.stringMatching(/^ingest of \d+ listed objects had \d+ failures and broke off there\n/u) as string });
        expect(summary.folders).toEqual([]);
    });
});
