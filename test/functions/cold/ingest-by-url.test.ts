import { randomBytes } from "node:crypto";
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, UploadPartCommand } from "@aws-sdk/client-s3";
import pLimit from "p-limit";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { crc64, toS3Crc64 } from "../../../functions/crc64";
import { defaultLimits } from "../../../functions/ingest/limits";
import { IngestError } from "../../../functions/ingest/summary";
import { type IngestWorld, mebibyte, startIngestWorld } from "./ingest-world";
import { answerError } from "./s3-front";

/** Blocks small enough that a small object has several. */
const limits = () => ({ ...defaultLimits(), urlBlockBytes: mebibyte, streamBlockBytes: mebibyte });

describe("ingest where the service reads from URLs by itself", () => {
    let world: IngestWorld;
    beforeAll(async () => {
        world = await startIngestWorld();
    }, 600_000);
    afterAll(() => world.stop());

    afterEach(async () => {
        world.front.reset();
        await world.parts.clear();
    });

    const run = () => world.run({ lake: world.readingLake, limits: limits() });
    const blob = async (path: string) => await world.parts.container("logs").getBlobClient(path).downloadToBuffer();
    /** GETs of content that this process did by itself. */
    const streamed = () => world.front.requests.filter(({ method, presigned, key }) => method === "GET" && !presigned && key !== "").map(({ key }) => key);
    /** GETs of content by the service. */
    const byService = () => world.front.requests.filter(({ presigned }) => presigned).map(({ key, headers }) => [key, headers.range]);

    /** An object of parts, as S3 stores what is uploaded so. */
    async function putMultipart(key: string, parts: readonly Buffer[], checksum: string | undefined): Promise<void> {
        const { s3, bucket } = world;
        const place = { Bucket: bucket, Key: key };
        const { UploadId } = await s3.send(
            new CreateMultipartUploadCommand({ ...place, ...(checksum && { ChecksumAlgorithm: "CRC64NVME", ChecksumType: "FULL_OBJECT" }) }),
        );
        const Parts = await Promise.all(
            parts.map(async (Body, index) => {
                const { ETag } = await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: index + 1, Body }));
                return { ETag, PartNumber: index + 1 };
            }),
        );
        await s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }));
        // The local S3 cannot compute this checksum; S3 does.
        world.front.change = (request, headers) =>
            request.key === key && request.headers["x-amz-checksum-mode"] === "ENABLED" && checksum !== undefined
                ? { ...headers, "x-amz-checksum-crc64nvme": checksum, "x-amz-checksum-type": "FULL_OBJECT" }
                : Object.fromEntries(Object.entries(headers).filter(([name]) => request.key !== key || !name.startsWith("x-amz-checksum")));
    }

    test("no byte passes through the process, and all is verified", async () => {
        const large = randomBytes(2 * mebibyte + 7);
        await world.fill({ "players/dt=1/한 국.csv": "idx\n1\n", "players/dt=1/100%#?.csv": "x" });
        await world.putWithCrc("players/dt=1/large", large, { ContentType: "text/csv", ContentEncoding: "gzip", Metadata: { "made-by": "exporter" } });
        const { summary, failure, lines } = await run();
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({
            copied: 3,
            ways: { url: 3, stream: 0 },
            streamedBytes: 0,
            urlRefused: 0,
            verified: { crc64: 1, md5: 2, length: 0 },
            folders: ["players/dt=1"],
        });
        expect(streamed()).toEqual([]);
        expect((await blob("players/dt=1/large")).equals(large)).toBe(true);
        expect((await blob("players/dt=1/한 국.csv")).toString()).toBe("idx\n1\n");
        expect((await blob("players/dt=1/100%#?.csv")).toString()).toBe("x");
        expect(await world.parts.container("logs").getBlobClient("players/dt=1/large").getProperties()).toMatchObject({
            contentType: "text/csv",
            contentEncoding: "gzip",
            metadata: { made_by: "exporter" },
        });
        const steps = lines.filter(({ key }) => key === "players/dt=1/large").map(({ event }) => event);
        expect(steps).toEqual(["ingest:copy-start", "ingest:staged", "ingest:verified", "ingest:committed"]);
        // Each block by a URL of its own.
        const ranges = byService().filter(([key]) => key === "players/dt=1/large");
        expect(ranges.map(([, range]) => range).toSorted()).toEqual(["bytes=0-1048575", "bytes=1048576-2097151", "bytes=2097152-2097158"]);

        const { summary: again } = await run();
        expect(again).toMatchObject({ copied: 0, skipped: 3 });
    });

    test.each([
        ["by its CRC", true, { crc64: 1, md5: 0, length: 0 }],
        ["by its length, where S3 has no checksum of the whole, and then its version is looked at again", false, { crc64: 0, md5: 0, length: 1 }],
    ])("brings an object of several parts, verified %s", async (_how, hasCrc, verified) => {
        await world.fill({});
        const parts = [randomBytes(5 * mebibyte), randomBytes(1_234)];
        const content = Buffer.concat(parts);
        await putMultipart("players/a/parts", parts, hasCrc ? toS3Crc64(await crc64(content)) : undefined);
        const { summary, failure } = await run();
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ ways: { url: 1, stream: 0 }, verified });
        expect((await blob("players/a/parts")).equals(content)).toBe(true);
        expect(world.front.requests.filter(({ method }) => method === "HEAD")).toHaveLength(hasCrc ? 1 : 2);
    });

    test("has a large object of one part, which has an MD5 alone, read in one call that compares it", async () => {
        const content = randomBytes(3 * mebibyte);
        await world.fill({ "players/a/one": content });
        expect((await run()).summary).toMatchObject({ ways: { url: 1, stream: 0 }, verified: { md5: 1 } });
        expect(byService()).toEqual([["players/a/one", undefined]]);
        expect((await blob("players/a/one")).equals(content)).toBe(true);
    });

    test("streams keys that the service asks for wrongly, without asking it", async () => {
        const objects = { "players/a/one+one": "x", "players/a/dot.": "y", "players/a/empty": "", "players/a/good": "w" };
        await world.fill(objects);
        const { summary, failure } = await run();
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ ways: { url: 1, stream: 3 }, urlRefused: 0 });
        expect(await world.parts.contents("logs")).toEqual({ ...objects, "players/a/_SUCCESS": "" });
    });

    test("streams what the service may not read, and after five in a row asks it for no more", async () => {
        const keys = Array.from({ length: 40 }, (_, index) => `players/a/${index}`);
        await world.fill(Object.fromEntries(keys.map((key) => [key, key])));
        // As of a bucket that is open to the function's address alone.
        world.front.intercept = ({ presigned }, response) => presigned && answerError(response, 403, "AccessDenied");
        const { summary, failure, lines } = await world.run({ lake: world.readingLake, limits: { ...limits(), objects: 2 } });
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ copied: 40, ways: { url: 0, stream: 40 } });
        expect(summary.urlRefused).toBeGreaterThanOrEqual(5);
        expect(summary.urlRefused).toBeLessThanOrEqual(6);
        const refused = lines.filter(({ event }) => event === "ingest:url-refused");
        expect(refused[0]).toMatchObject({ reason: expect.stringContaining("CannotVerifyCopySource") as string });
        expect(lines.filter(({ event }) => event === "ingest:url-given-up")).toHaveLength(1);
        expect((await blob("players/a/7")).toString()).toBe("players/a/7");
    });

    test.each([
        ["of blocks", 2 * mebibyte + 1, true],
        ["of one call", 10, false],
    ])("leaves nothing of content that is not the source's: a copy %s", async (_name, size, hasCrc) => {
        const content = randomBytes(size);
        await world.fill({ "players/b/good": "x" });
        await (hasCrc ? world.putWithCrc("players/a/bad", content) : world.put({ "players/a/bad": content }));
        await world.parts.container("logs").getBlockBlobClient("players/a/bad").upload("before", 6);
        // Whoever reads it gets other bytes of the same length.
        world.front.intercept = ({ key, method, headers }, response) => {
            if (key !== "players/a/bad" || method !== "GET") {
                return false;
            }
            const [, from, to] = /bytes=(\d+)-(\d+)/u.exec(headers.range ?? "") ?? [];
            const length = from === undefined ? size : Number(to) - Number(from) + 1;
            const crc = hasCrc ? { "x-amz-checksum-crc64nvme": toS3Crc64(1n), "x-amz-checksum-type": "FULL_OBJECT" } : {};
            response.writeHead(from === undefined ? 200 : 206, { ...crc, "content-length": length, etag: '"00000000000000000000000000000000"' });
            response.end(randomBytes(length));
            return true;
        };
        const { summary, failure } = await run();
        expect(failure).toBeInstanceOf(IngestError);
        expect(summary.failed).toEqual([{ key: "players/a/bad", reason: expect.stringMatching(/arrived with (crc64|md5)/u) as string }]);
        expect(summary).toMatchObject({ copied: 1, urlRefused: 1, folders: ["players/b"] });
        expect((await blob("players/a/bad")).toString()).toBe("before");
    });

    test("signs each block when it is sent: credentials that end on the way do no harm", async () => {
        await world.fill({});
        const content = randomBytes(6 * mebibyte);
        await world.putWithCrc("players/a/long", content);
        let current = 1;
        const asked = new Map<string, number>();
        // Each pair of credentials is good for four requests; they say that they end soon, so they are asked for each time.
        const source = world.sourceWith({
            credentials: () =>
                Promise.resolve({ accessKeyId: `key-${current}`, secretAccessKey: "secret", expiration: new Date(Date.now() + 60_000) }),
        });
        world.front.intercept = ({ accessKey }, response) => {
            const used = (asked.get(accessKey) ?? 0) + 1;
            asked.set(accessKey, used);
            if (accessKey !== `key-${current}`) {
                return answerError(response, 403, "ExpiredToken");
            }
            current += used === 4 ? 1 : 0;
            return false;
        };
        const { summary, failure } = await world.run({ source, lake: world.readingLake, limits: { ...limits(), urlCalls: pLimit(1) } });
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ ways: { url: 1, stream: 0 }, urlRefused: 0, verified: { crc64: 1 } });
        expect(asked.size).toBeGreaterThanOrEqual(2);
        expect((await blob("players/a/long")).equals(content)).toBe(true);
    });

    test("copies the version that is there when an object is replaced while its blocks are read", async () => {
        await world.fill({});
        const [first, second] = [randomBytes(2 * mebibyte), randomBytes(2 * mebibyte + 5)];
        await world.putWithCrc("players/a/1", first);
        let replaced = false;
        world.front.intercept = async ({ presigned }) => {
            if (presigned && !replaced) {
                replaced = true;
                await world.putWithCrc("players/a/1", second);
            }
            return false;
        };
        const { summary, failure } = await run();
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ copied: 1, bytes: second.length, folders: ["players/a"] });
        expect((await blob("players/a/1")).equals(second)).toBe(true);
        expect((await run()).summary).toMatchObject({ copied: 0, skipped: 1 });
    });
});
