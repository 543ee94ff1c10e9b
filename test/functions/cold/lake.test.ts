import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createLake, type LakeBlob } from "../../../functions/clients/lake";
import { BlobNameError, LakeError, SizeMismatchError } from "../../../functions/clients/lake-errors";
import { type ColdParts, startColdParts } from "./parts";

const names = [
    "a",
    "a/b",
    "a/b/c",
    "players/dt=2026-01-31/part 0000.csv",
    "한국어/플레이어 로그.csv",
    "one+two+%2B three",
    "100%",
    "%41%2F%25",
    "question?mark=1&x#hash",
    "quote'\"<>`{}|^[]",
    "semi;colon:at@dollar$!*()~",
    "emoji 💎/é (NFD é)",
    "a//b",
    "dots...and.more.",
    `long/${"x".repeat(1_000)}`,
];

describe("the lake", () => {
    let parts: ColdParts;
    beforeAll(async () => {
        parts = await startColdParts();
    });
    afterAll(() => parts.stop());
    beforeEach(() => parts.clear());

    const bodyOf = (content: Buffer, chunk = 64 * 1024) =>
        Readable.from(
            Array.from({ length: Math.ceil(content.length / chunk) }, (_, index) => content.subarray(index * chunk, (index + 1) * chunk)),
            { objectMode: false },
        );

    async function listed(prefix: string): Promise<LakeBlob[]> {
        const blobs: LakeBlob[] = [];
        for await (const blob of parts.lake.list("logs", prefix)) {
            blobs.push(blob);
        }
        return blobs;
    }

    test("keeps every name as it is: written, found, listed and read back", async () => {
        for (const name of names) {
            const content = Buffer.from(`content of ${name}`);
            await parts.lake.upload("logs", name, bodyOf(content), content.length, { metadata: { mark: "1" } });
            const found = await parts.lake.find("logs", name);
            expect(found).toMatchObject({ path: name, size: content.length, metadata: { mark: "1" } });
            const body = await parts.lake.download("logs", name, found?.etag ?? "");
            expect(Buffer.concat((await body.toArray()) as Buffer[]).toString()).toBe(`content of ${name}`);
        }
        const all = await listed("");
        expect(all.map(({ path }) => path).sort()).toEqual([...names].sort());
        expect(all.every(({ metadata, etag }) => metadata["mark"] === "1" && !etag.includes('"'))).toBe(true);
        expect((await listed("a/")).map(({ path }) => path).sort()).toEqual(["a//b", "a/b", "a/b/c"]);
    });

    const dots = ["../predictions/x", "a/../../predictions/x", "a/./b", "..", "."];
    test.each(dots)("refuses the name %s, which a URL would change", async (name) => {
        const failure: unknown = await parts.lake.upload("logs", name, bodyOf(Buffer.from("x")), 1, {}).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(BlobNameError);
        expect(failure).toMatchObject({ retryable: false });
        expect(await parts.contents("predictions")).toEqual({});
    });

    const mebibyte = 1024 * 1024;
    test.each([0, 1, 4 * mebibyte, 4 * mebibyte + 1, 9 * mebibyte + 7])("writes %i bytes with their properties", async (size) => {
        const content = randomBytes(size);
        await parts.lake.upload("logs", "a/blob", bodyOf(content, 100_000), size, {
            contentType: "text/csv",
            contentEncoding: "gzip",
            contentLanguage: "ko",
            contentDisposition: "attachment",
            cacheControl: "no-store",
            metadata: { one: "1" },
        });
        const client = parts.container("logs").getBlobClient("a/blob");
        expect((await client.downloadToBuffer()).equals(content)).toBe(true);
        expect(await client.getProperties()).toMatchObject({
            contentLength: size,
            contentType: "text/csv",
            contentEncoding: "gzip",
            contentLanguage: "ko",
            contentDisposition: "attachment",
            cacheControl: "no-store",
            metadata: { one: "1" },
        });
    });

    test.each([
        ["ends early", 100, 99],
        ["goes on too long", 100, 101],
        ["ends early, in blocks", 6 * mebibyte, 6 * mebibyte - 1],
        ["goes on too long, in blocks", 6 * mebibyte, 6 * mebibyte + 1],
    ])("keeps the blob that is there when a stream %s", async (_name, size, arrives) => {
        await parts.lake.upload("logs", "a", bodyOf(Buffer.from("before")), 6, {});
        await expect(parts.lake.upload("logs", "a", bodyOf(randomBytes(arrives)), size, {})).rejects.toThrow(SizeMismatchError);
        expect(await parts.contents("logs")).toEqual({ a: "before" });
    });

    test("keeps the blob that is there when a stream breaks", async () => {
        async function* broken() {
            yield randomBytes(5 * mebibyte);
            await Promise.resolve();
            throw new Error("link lost");
        }
        await parts.lake.upload("logs", "a", bodyOf(Buffer.from("before")), 6, {});
        const failure: unknown = await parts.lake
            .upload("logs", "a", Readable.from(broken()), 20 * mebibyte, {})
            .catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(LakeError);
        expect((failure as LakeError).cause).toMatchObject({ message: "link lost" });
        expect(await parts.contents("logs")).toEqual({ a: "before" });
    });

    test("reads the version that was asked for or none", async () => {
        await parts.lake.writeMarker("logs", "a");
        const first = await parts.lake.find("logs", "a");
        await parts.lake.writeMarker("logs", "a");
        const second = await parts.lake.find("logs", "a");
        expect(second?.etag).not.toBe(first?.etag);
        await expect(parts.lake.download("logs", "a", first?.etag ?? "")).rejects.toMatchObject({ status: 412, retryable: true });
        await parts.lake.remove("logs", "a");
        await parts.lake.remove("logs", "a");
        expect(await parts.lake.find("logs", "a")).toBeUndefined();
        await expect(parts.lake.download("logs", "a", second?.etag ?? "")).rejects.toBeInstanceOf(LakeError);
    });

    test("writes a text only where its condition holds", async () => {
        const first = await parts.lake.writeText("batches", "state.json", "1", { absent: true });
        expect(await parts.lake.writeText("batches", "state.json", "x", { absent: true })).toBeUndefined();
        const second = await parts.lake.writeText("batches", "state.json", "2 한", { etag: first ?? "" });
        expect(await parts.lake.writeText("batches", "state.json", "x", { etag: first ?? "" })).toBeUndefined();
        expect(await parts.lake.readText("batches", "state.json")).toEqual({ text: "2 한", etag: second });
        expect(await parts.lake.readText("batches", "other.json")).toBeUndefined();
    });

    test("appends to a blob that starts empty each time", async () => {
        for (const round of ["first", "second"]) {
            await parts.lake.createAppendable("predictions", "a.jsonl", "application/jsonl");
            await parts.lake.append("predictions", "a.jsonl", `${round} 밤\n`);
            await parts.lake.append("predictions", "a.jsonl", "end\n");
        }
        expect(await parts.contents("predictions")).toEqual({ "a.jsonl": "second 밤\nend\n" });
    });

    test("says whether it can be reached", async () => {
        await parts.lake.ping();
        const down = createLake({ Lake__blobServiceUri: "https://127.0.0.1:1/lake" }, parts.credential);
        await expect(down.ping()).rejects.toMatchObject({ name: "LakeError", status: undefined, retryable: true });
    });
});
