import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { crc64, toS3Crc64 } from "../../../functions/crc64";
import { defaultLimits } from "../../../functions/ingest/limits";
import { type IngestWorld, mebibyte, startIngestWorld } from "./ingest-world";
import { answerError, type S3Front } from "./s3-front";

type Intercept = S3Front["intercept"];

const limits = () => ({ ...defaultLimits(), objects: 1, urlBlockBytes: mebibyte, streamBlockBytes: mebibyte });

/** The service's answer to a source that answers it with this status. */
const answering =
    (status: number): Intercept =>
    ({ presigned }, response) =>
        presigned && answerError(response, status, "Refused");

describe("what the service refuses to read from a URL", () => {
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
    // As long as a key may be; each character of it is nine in a URL.
    const longKey = `players/a/${"길".repeat(338)}`;

    test.each<[string, string, Intercept]>([
        ["as of a bucket that is open to the function's address alone (403)", "players/a/1", answering(403)],
        ["as of a name that it cannot find (404)", "players/a/1", answering(404)],
        ["as of something that it does not do (501)", "players/a/1", answering(501)],
        ["after it took the first block", "players/a/1", ({ presigned, headers }, response) => presigned && !headers.range?.startsWith("bytes=0-") && answerError(response, 403, "Refused")],
        ["as its URL is longer than 2 KiB", longKey, () => false],
    ])("comes through the process, whole and verified: %s", async (_cause, key, intercept) => {
        const content = randomBytes(2 * mebibyte + 3);
        await world.fill({});
        await world.putWithCrc(key, content);
        world.front.intercept = intercept;
        const { summary, failure, lines } = await run();
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ copied: 1, ways: { url: 0, stream: 1 }, streamedBytes: content.length, urlRefused: 1, verified: { crc64: 1 } });
        expect(lines.filter(({ event }) => event === "ingest:url-refused")).toMatchObject([{ key }]);
        expect((await blob(key)).equals(content)).toBe(true);
    });

    test("says nothing of the others where nobody can read it: the service goes on with those", async () => {
        const archived = Array.from({ length: 8 }, (_, index) => `players/a/${index}`);
        await world.fill(Object.fromEntries([...archived, "players/b/1", "players/b/2"].map((key) => [key, key])));
        world.front.intercept = ({ key, method }, response) => method === "GET" && archived.includes(key) && answerError(response, 403, "InvalidObjectState");
        const { summary, lines } = await run();
        expect(summary).toMatchObject({ copied: 2, ways: { url: 2, stream: 0 }, urlRefused: 8, folders: ["players/b"] });
        expect(summary.failed.map(({ key }) => key)).toEqual(archived);
        expect(lines.filter(({ event }) => event === "ingest:url-given-up")).toEqual([]);
    });

    test("comes through the process by its length alone where S3 has no checksum of the whole", async () => {
        const content = randomBytes(2 * mebibyte + 3);
        await world.fill({});
        await world.putWithCrc("players/a/1+1", content);
        // As S3 tells of an object of several parts under the studio's own key.
        world.front.change = (_request, headers) => ({
            ...Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("x-amz-checksum"))),
            "x-amz-server-side-encryption": "aws:kms",
        });
        const { summary, failure } = await run();
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ ways: { url: 0, stream: 1 }, verified: { crc64: 0, md5: 0, length: 1 } });
        expect((await blob("players/a/1+1")).equals(content)).toBe(true);
    });

    test("is read on from where it was with other credentials, when those of its first part have ended", async () => {
        const content = randomBytes(3 * mebibyte);
        await world.fill({});
        await world.putWithCrc("players/a/1+1", content);
        let current = 1;
        const source = world.sourceWith({
            credentials: () =>
                Promise.resolve({ accessKeyId: `key-${current}`, secretAccessKey: "secret", expiration: new Date(Date.now() + 60_000) }),
        });
        const keys = new Set<string>();
        world.front.intercept = ({ key, accessKey, method }, response) => {
            keys.add(accessKey);
            if (accessKey !== `key-${current}`) {
                return answerError(response, 403, "ExpiredToken");
            }
            // They end with the first read.
            current = method === "GET" && key !== "" ? 2 : current;
            return false;
        };
        world.front.cut = ({ key, headers }) => (key !== "" && headers.range === undefined ? { after: mebibyte, how: "break" } : undefined);
        const { summary, failure } = await world.run({ source, lake: world.readingLake, limits: limits() });
        expect(failure).toBeUndefined();
        expect(summary).toMatchObject({ ways: { stream: 1 }, verified: { crc64: 1 } });
        expect([...keys]).toEqual(["key-1", "key-2"]);
        expect(toS3Crc64(await crc64(await blob("players/a/1+1")))).toBe(toS3Crc64(await crc64(content)));
    });
});
