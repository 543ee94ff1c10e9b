import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BlobDraft } from "../../../functions/clients/lake-draft";
import type { Lake } from "../../../functions/clients/lake";
import type { SourceBucket } from "../../../functions/clients/source-bucket";
import { ingest } from "../../../functions/ingest/ingest";
import { defaultLimits } from "../../../functions/ingest/limits";
import { lockPath } from "../../../functions/ingest/run-lock";
import { mortal, type Mortal } from "./mortal";
import { type ColdParts, startColdParts } from "./parts";

const before = { "p/a/1": "one", "p/b/1": "old", "p/b/2": "two" };
const after = { "p/a/1": "one", "p/b/1": "new!", "p/b/2": "two", "p/c/1": "added", "p/c/2": "added", "p/x": "beside" };

/** A bucket with these objects. */
function sourceOf(objects: Record<string, string>): SourceBucket {
    const md5 = (text: string) => createHash("md5").update(text).digest();
    const find = (key: string) => ({ key, etag: `"${md5(objects[key] ?? "").toString("hex")}"`, size: objects[key]?.length ?? 0 });
    const details = (key: string) => ({
        contentType: undefined,
        contentEncoding: undefined,
        contentLanguage: undefined,
        contentDisposition: undefined,
        cacheControl: undefined,
        metadata: {},
        checksums: { crc64: undefined, md5: md5(objects[key] ?? "") },
    });
    async function* body(key: string) {
        yield await Promise.resolve(Buffer.from(objects[key] ?? ""));
    }
    return {
        name: "logs",
        prefix: "p/",
        async *list() {
            for (const key of Object.keys(objects)) {
                yield await Promise.resolve(find(key));
            }
        },
        find: (key) => Promise.resolve(find(key)),
        details: ({ key }) => Promise.resolve(details(key)),
        read: ({ key }) => Promise.resolve({ details: details(key), body: body(key) }),
        sign: (key) => Promise.resolve(`https://127.0.0.1:1/${key}`),
        ping: () => Promise.resolve(),
        close: () => undefined,
    };
}

describe("an ingest run that is killed", () => {
    let parts: ColdParts;
    beforeAll(async () => {
        parts = await startColdParts();
    });
    afterAll(() => parts.stop());

    const quietly = { now: () => new Date(), log: () => undefined, trace: () => undefined };
    beforeEach(async () => {
        await giveUpLock();
        await parts.clear();
        await ingest({ source: sourceOf(before), lake: parts.lake, ...quietly });
    });

    /** As time would: a lease that nobody renews ends. */
    async function giveUpLock(): Promise<void> {
        const lock = parts.container("runs").getBlobClient(lockPath);
        if (await lock.exists()) {
            await lock.getBlobLeaseClient().breakLease(0).catch(() => undefined);
        }
    }

    /** The lake as a process has it that dies. */
    function lakeOf(life: Mortal): Lake {
        const lake = life.wrap(parts.lake, ["remove", "writeMarker", "lease", "writeText"]);
        const written: (keyof BlobDraft)[] = ["put", "stage", "commit"];
        return { ...lake, draft: (...given) => life.wrap(parts.lake.draft(...given), written) };
    }

    // The lock is taken; three folders lose their marker; one object is written at once and three in two blocks each; three markers are
    // written, and the summary: 18 changes. The nineteenth never comes.
    const points = Array.from({ length: 19 }, (_, index) => index + 1);
    const lives = points.flatMap((call) => [["before", call] as const, ["after", call] as const]);
    test.each(lives)("%s change %i is finished by the next", async (when, call) => {
        const life = mortal(call, when);
        const limits = { ...defaultLimits(), objects: 2, streamBlockBytes: 4 };
        await ingest({ source: sourceOf(after), lake: lakeOf(life), ...quietly, limits }).catch(() => undefined);
        expect(life.dead).toBe(call <= 18);
        // Whatever was left: a folder with a marker is whole, in its old version or its new one.
        const left = await parts.contents("logs");
        for (const marker of Object.keys(left).filter((path) => path.endsWith("/_SUCCESS"))) {
            const folder = marker.slice(0, -"_SUCCESS".length);
            expect([inFolder(before, folder), inFolder(after, folder)]).toContainEqual(inFolder(left, folder));
        }

        await giveUpLock();
        await ingest({ source: sourceOf(after), lake: parts.lake, ...quietly });
        const markers = { "p/_SUCCESS": "", "p/a/_SUCCESS": "", "p/b/_SUCCESS": "", "p/c/_SUCCESS": "" };
        expect(await parts.contents("logs")).toEqual({ ...after, ...markers });
    });

    function inFolder(contents: Record<string, string>, folder: string): Record<string, string> {
        return Object.fromEntries(
            Object.entries(contents).filter(
                ([path]) => path.startsWith(folder) && !path.slice(folder.length).includes("/") && !path.endsWith("_SUCCESS"),
            ),
        );
    }
});
