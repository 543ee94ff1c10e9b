import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createLake, type LakeBlob } from "../../../functions/clients/lake";
import type { BlobProperties } from "../../../functions/clients/lake-draft";
import { BlobNameError, LakeConflictError, LakeError } from "../../../functions/clients/lake-errors";
import { crc64 } from "../../../functions/crc64";
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

    /** Writes a blob at once. */
    async function put(path: string, content: Buffer, properties: BlobProperties = {}, replaces?: string): Promise<void> {
        await parts.lake.draft("logs", path, { replaces }).put(content, await crc64(content), properties);
    }

    /** Stages the content in blocks of this size. @returns the draft, and how many there are */
    async function stage(path: string, content: Buffer, bytes: number, replaces?: string) {
        const draft = parts.lake.draft("logs", path, { replaces });
        const blocks = Math.ceil(content.length / bytes);
        for (let index = 0; index < blocks; index += 1) {
            const block = content.subarray(index * bytes, (index + 1) * bytes);
            await draft.stage(index, block, await crc64(block));
        }
        return { draft, blocks };
    }

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
            await put(name, content, { metadata: { mark: "1" } });
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

    const dots = ["../predictions/x", "a/../../predictions/x", "a/./b", "..", ".", "a\\b"];
    test.each(dots)("refuses the name %s, which a URL would change", async (name) => {
        const failure: unknown = await put(name, Buffer.from("x")).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(BlobNameError);
        expect(failure).toMatchObject({ retryable: false });
        expect(await parts.contents("predictions")).toEqual({});
    });

    const mebibyte = 1024 * 1024;
    const properties = {
        contentType: "text/csv",
        contentEncoding: "gzip",
        contentLanguage: "ko",
        contentDisposition: "attachment",
        cacheControl: "no-store",
        metadata: { one: "1" },
    };

    test.each([0, 1, mebibyte, 3 * mebibyte + 7])("writes %i bytes with their properties, at once or in blocks", async (size) => {
        const content = randomBytes(size);
        await put("a/once", content, properties);
        const { draft, blocks } = await stage("a/blocks", content, mebibyte);
        expect(await parts.lake.find("logs", "a/blocks")).toBeUndefined();
        await draft.commit(blocks, properties);
        for (const path of ["a/once", "a/blocks"]) {
            const client = parts.container("logs").getBlobClient(path);
            expect((await client.downloadToBuffer()).equals(content)).toBe(true);
            expect(await client.getProperties()).toMatchObject({ contentLength: size, ...properties });
        }
    });

    test("refuses content that is not what it is said to be, and keeps the blob that is there", async () => {
        await put("a", Buffer.from("before"));
        const { etag } = (await parts.lake.find("logs", "a")) as LakeBlob;
        const draft = parts.lake.draft("logs", "a", { replaces: etag });
        await expect(draft.put(Buffer.from("after"), 1n, {})).rejects.toMatchObject({ name: "LakeError", status: 400 });
        await expect(draft.stage(0, Buffer.from("after"), 1n)).rejects.toMatchObject({ name: "LakeError", status: 400 });
        expect(await parts.contents("logs")).toEqual({ a: "before" });
    });

    test("replaces the version that was seen alone: with two writers, one wins", async () => {
        await put("a", Buffer.from("first"));
        await expect(put("a", Buffer.from("second"))).rejects.toBeInstanceOf(LakeConflictError);
        const { etag } = (await parts.lake.find("logs", "a")) as LakeBlob;
        const slow = await stage("a", Buffer.from("slow writer"), 4, etag);
        await put("a", Buffer.from("quick"), {}, etag);
        await expect(slow.draft.commit(slow.blocks, {})).rejects.toMatchObject({ name: "LakeConflictError", retryable: true });
        expect(await parts.contents("logs")).toEqual({ a: "quick" });
    });

    test("tells when it will not read from a URL", async () => {
        const draft = parts.lake.draft("logs", "a", { replaces: undefined });
        const { url } = parts.container("logs");
        await expect(draft.stageFromUrl(0, "https://127.0.0.1:1/x", 0, 1)).rejects.toMatchObject({ name: "SourceRefusedError", code: "CannotVerifyCopySource" });
        await expect(draft.putFromUrl(`${url}/x`, randomBytes(16), {})).rejects.toMatchObject({ name: "SourceRefusedError", status: 501 });
    });

    test("gives a lease to one at a time", async () => {
        const lease = await parts.lake.lease("runs", "lock", 60);
        expect(await parts.lake.lease("runs", "lock", 60)).toBeUndefined();
        expect(await lease?.renew()).toBe(true);
        await lease?.release();
        const next = await parts.lake.lease("runs", "lock", 60);
        expect(next).toBeDefined();
        expect(await lease?.renew()).toBe(false);
        await lease?.release();
        expect(await next?.renew()).toBe(true);
        await next?.release();
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
