import { Readable } from "node:stream";
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createAwsCredentials } from "../../../functions/clients/aws-credentials";
import { createLake } from "../../../functions/clients/lake";
import { createSourceBucket, type SourceBucket } from "../../../functions/clients/source-bucket";
import { ingest, IngestError, type IngestSummary } from "../../../functions/ingest/ingest";
import { type MotoPart, startMoto } from "../../../local/parts/moto";
import { type ColdParts, startColdParts } from "./parts";

const audience = "api://7d6c5b4a-3f2e-4d1c-8b0a-9f8e7d6c5b4a";

describe("ingest from S3 to the lake", () => {
    let parts: ColdParts;
    let moto: MotoPart;
    let s3: S3Client;
    let buckets = 0;
    let bucket: string;
    let source: SourceBucket;
    const audiences: string[] = [];

    beforeAll(async () => {
        parts = await startColdParts();
        moto = await startMoto(parts.workshop);
        parts.identity.onIssue((token) => {
            audiences.push(token.audience);
            return Promise.resolve();
        });
        const studio = { accessKeyId: "studio", secretAccessKey: "studio" };
        s3 = new S3Client({ endpoint: moto.endpoint, region: "eu-west-1", credentials: studio });
        // The first run of all makes the Python environment.
    }, 600_000);
    afterAll(() => parts.stop());

    afterEach(() => parts.clear());

    async function fill(objects: Record<string, string>): Promise<void> {
        buckets += 1;
        bucket = `logs-${buckets}`;
        await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
        await put(objects);
        const settings = {
            AWS_REGION: "eu-west-1",
            AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/predictions",
            AWS_TOKEN_AUDIENCE: audience,
            STS_ENDPOINT: moto.endpoint,
            S3_ENDPOINT: moto.endpoint,
            SOURCE_BUCKET: bucket,
            SOURCE_PREFIX: "players/",
        };
        source = createSourceBucket(settings, createAwsCredentials(settings, parts.credential));
    }

    async function put(objects: Record<string, string>): Promise<void> {
        const left = Object.entries(objects);
        const worker = async () => {
            for (let next = left.pop(); next !== undefined; next = left.pop()) {
                await s3.send(new PutObjectCommand({ Bucket: bucket, Key: next[0], Body: Buffer.from(next[1]) }));
            }
        };
        await Promise.all(Array.from({ length: 8 }, worker));
    }

    async function run(from: SourceBucket = source): Promise<{ summary: IngestSummary; failure: unknown }> {
        const lines: string[] = [];
        const given = { source: from, lake: parts.lake, now: () => new Date(), log: (line: string) => lines.push(line) };
        const failure: unknown = await ingest(given).then(
            () => undefined,
            (error: unknown) => error,
        );
        expect(lines).toHaveLength(1);
        return { summary: JSON.parse(lines[0] ?? "") as IngestSummary, failure };
    }

    /** The source, with something happening to an object after it was listed. */
    function disturbed(key: string, happens: () => Promise<unknown>): SourceBucket {
        return {
            ...source,
            async read(asked, etag) {
                if (asked === key) {
                    await happens();
                }
                return source.read(asked, etag);
            },
        };
    }

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
        };
        await fill({ ...objects, "players/folder/": "", "players/a/": "", "elsewhere/x": "x" });
        const { summary, failure } = await run();
        expect(failure).toBeUndefined();
        const folders = ["players", "players/a", "players/dt=2026-01-31", "players/한국어"];
        expect(summary).toMatchObject({ event: "ingest", listed: 8, copied: 8, skipped: 0, failed: [] });
        expect(summary.bytes).toBe(Object.values(objects).reduce((sum, content) => sum + Buffer.byteLength(content), 0));
        expect([...summary.folders].sort()).toEqual(folders);
        const markers = Object.fromEntries(folders.map((folder) => [`${folder}/_SUCCESS`, ""]));
        expect(await parts.contents("logs")).toEqual({ ...objects, ...markers });
        expect(audiences).toContain(audience);

        const again = await run();
        expect(again.failure).toBeUndefined();
        expect(again.summary).toMatchObject({ listed: 8, copied: 0, skipped: 8, bytes: 0, folders: [] });
    });

    test("keeps what the studio says of an object, and leaves compressed content as it is", async () => {
        await fill({});
        await s3.send(
            new PutObjectCommand({
                Bucket: bucket,
                Key: "players/a.csv.gz",
                Body: Buffer.from([0x1f, 0x8b, 0x08, 0x00]),
                ContentType: "text/csv",
                ContentEncoding: "gzip",
                Metadata: { "made-by": "exporter 2" },
            }),
        );
        expect((await run()).failure).toBeUndefined();
        const blob = parts.container("logs").getBlobClient("players/a.csv.gz");
        expect(await blob.getProperties()).toMatchObject({
            contentType: "text/csv",
            contentEncoding: "gzip",
            metadata: { made_by: "exporter 2" },
        });
        expect([...(await blob.downloadToBuffer())]).toEqual([0x1f, 0x8b, 0x08, 0x00]);
    });

    test("lists more than a page", async () => {
        const keys = Array.from({ length: 1_010 }, (_, index) => `players/many/${String(index).padStart(5, "0")}`);
        await fill(Object.fromEntries(keys.map((key) => [key, ""])));
        const listed: string[] = [];
        for await (const { key } of source.list()) {
            listed.push(key);
        }
        expect(listed).toEqual(keys);
    }, 180_000);

    test("brings changed and new objects, and marks the folders of these alone again", async () => {
        await fill({ "players/a/1": "old", "players/a/2": "same", "players/b/1": "same" });
        await run();
        const [a, b] = await Promise.all(["players/a/_SUCCESS", "players/b/_SUCCESS"].map((path) => parts.lake.find("logs", path)));
        await put({ "players/a/1": "new", "players/a/3": "added", "players/c/1": "added" });
        expect((await run()).summary).toMatchObject({ copied: 3, skipped: 2, folders: ["players/a", "players/c"] });
        expect(await parts.contents("logs")).toMatchObject({ "players/a/1": "new", "players/a/3": "added", "players/c/1": "added" });
        expect((await parts.lake.find("logs", "players/a/_SUCCESS"))?.etag).not.toBe(a?.etag);
        expect((await parts.lake.find("logs", "players/b/_SUCCESS"))?.etag).toBe(b?.etag);
    });

    test("writes its own marker last instead of copying the source's", async () => {
        await fill({ "players/a/_SUCCESS": "by Spark", "players/a/part-0": "x", "players/a/zz": "x" });
        const written: string[] = [];
        const lake: typeof parts.lake = {
            ...parts.lake,
            upload: (container, path, ...rest) => {
                written.push(path);
                return parts.lake.upload(container, path, ...rest);
            },
            writeMarker: (container, path) => {
                written.push(path);
                return parts.lake.writeMarker(container, path);
            },
        };
        await ingest({ source, lake, now: () => new Date(), log: () => undefined });
        expect(written.slice(0, 2).sort()).toEqual(["players/a/part-0", "players/a/zz"]);
        expect(written.slice(2)).toEqual(["players/a/_SUCCESS"]);
        expect((await parts.contents("logs"))["players/a/_SUCCESS"]).toBe("");
    });

    test.each([
        ["deleted", (key: string) => s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))],
        ["replaced", (key: string) => put({ [key]: "another" })],
    ])("skips and reports an object that was %s after the listing, and does not mark its folder", async (situation, happens) => {
        await fill({ "players/a/1": "one", "players/a/2": "two", "players/b/1": "one" });
        const { summary, failure } = await run(disturbed("players/a/1", () => happens("players/a/1")));
        expect(failure).toBeInstanceOf(IngestError);
        expect(failure).toMatchObject({ retryable: true, message: expect.stringContaining("players/a/1") as string });
        expect(summary).toMatchObject({ listed: 3, copied: 2, folders: ["players/b"] });
        expect(summary.failed).toEqual([{ key: "players/a/1", reason: expect.stringContaining(situation) as string }]);
        expect(Object.keys(await parts.contents("logs"))).toEqual(["players/a/2", "players/b/1", "players/b/_SUCCESS"]);

        expect((await run()).summary).toMatchObject({ copied: situation === "deleted" ? 0 : 1, failed: [], folders: ["players/a"] });
    });

    test("leaves the marker of a complete folder alone when its only new object has vanished", async () => {
        await fill({ "players/a/1": "one" });
        await run();
        const before = await parts.lake.find("logs", "players/a/_SUCCESS");
        await put({ "players/a/2": "two" });
        await run(disturbed("players/a/2", () => s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "players/a/2" }))));
        expect((await run()).summary).toMatchObject({ copied: 0, folders: [] });
        expect((await parts.lake.find("logs", "players/a/_SUCCESS"))?.etag).toBe(before?.etag);
    });

    test("reports a body that breaks off, and leaves nothing of it", async () => {
        await fill({ "players/a/1": "one", "players/b/1": "one" });
        async function* broken() {
            yield Buffer.from("o");
            await Promise.resolve();
            throw new Error("link lost");
        }
        const { summary } = await run({
            ...source,
            read: async (key, etag) => ({
                ...(await source.read(key, etag)),
                ...(key === "players/a/1" && { body: Readable.from(broken()) }),
            }),
        });
        expect(summary.failed).toEqual([{ key: "players/a/1", reason: expect.stringContaining("link lost") as string }]);
        expect(Object.keys(await parts.contents("logs"))).toEqual(["players/b/1", "players/b/_SUCCESS"]);
    });

    test("refuses a key that would leave its container, and brings the others", async () => {
        await fill({ "players/b/1": "one" });
        const { summary, failure } = await run({
            ...source,
            async *list() {
                yield { key: "players/../../predictions/x.csv", etag: '"x"', size: 1 };
                yield* source.list();
            },
        });
        expect(failure).toBeInstanceOf(IngestError);
        expect(summary).toMatchObject({ listed: 2, copied: 1, folders: ["players/b"] });
        expect(summary.failed).toEqual([
            { key: "players/../../predictions/x.csv", reason: expect.stringContaining("segment of dots") as string },
        ]);
        expect(await parts.contents("predictions")).toEqual({});
    });

    test("copies nothing twice when the two sides list in different orders", async () => {
        const objects = { "players/1": "1", "players/2": "2", "players/3": "3", "players/4": "4" };
        await fill(objects);
        await run();
        const { summary, failure } = await run({
            ...source,
            async *list() {
                const listed = [];
                for await (const object of source.list()) {
                    listed.push(object);
                }
                yield* listed.reverse();
            },
        });
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ copied: 0, skipped: 4, folders: [] });
    });

    test("ends with an error when the bucket or the lake is down, and marks nothing", async () => {
        await fill({ "players/a/1": "one" });
        const down = createSourceBucket(
            { AWS_REGION: "eu-west-1", S3_ENDPOINT: "https://127.0.0.1:1", SOURCE_BUCKET: bucket, SOURCE_PREFIX: "players/" },
            () => Promise.resolve({ accessKeyId: "key", secretAccessKey: "secret" }),
        );
        expect((await run(down)).failure).toBeInstanceOf(IngestError);
        expect(await parts.contents("logs")).toEqual({});

        const lake = createLake({ Lake__blobServiceUri: "https://127.0.0.1:1/lake" }, parts.credential);
        await expect(ingest({ source, lake, now: () => new Date(), log: () => undefined })).rejects.toBeInstanceOf(IngestError);
    });

    test("gives up after a hundred failures instead of trying every object, and marks no folder then", async () => {
        await fill(Object.fromEntries(Array.from({ length: 130 }, (_, index) => [`players/${index}/x`, "x"] as const)));
        const { summary } = await run({ ...source, read: () => Promise.reject(new Error("S3 is down")) });
        expect(summary.failed.length).toBeGreaterThanOrEqual(100);
        expect(summary.listed).toBeLessThan(120);
        expect(summary.folders).toEqual([]);
    });
});
