import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SourceBucket } from "../../../functions/clients/source-bucket";
import { ingest } from "../../../functions/ingest/ingest";
import { mortal } from "./mortal";
import { type ColdParts, startColdParts } from "./parts";

const before = { "p/a/1": "one", "p/b/1": "old", "p/b/2": "two" };
const after = { "p/a/1": "one", "p/b/1": "new!", "p/b/2": "two", "p/c/1": "added", "p/c/2": "added", "p/x": "beside" };

/** A bucket with these objects. */
function sourceOf(objects: Record<string, string>): SourceBucket {
    return {
        prefix: "p/",
        async *list() {
            for (const [key, content] of Object.entries(objects)) {
                yield await Promise.resolve({ key, etag: `"${content}"`, size: content.length });
            }
        },
        read: (key) =>
            Promise.resolve({
                body: Readable.from([Buffer.from(objects[key] ?? "")]),
                contentType: undefined,
                contentEncoding: undefined,
                contentLanguage: undefined,
                contentDisposition: undefined,
                cacheControl: undefined,
                metadata: {},
            }),
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

    const quietly = { now: () => new Date(), log: () => undefined };
    beforeEach(async () => {
        await parts.clear();
        await ingest({ source: sourceOf(before), lake: parts.lake, ...quietly });
    });

    // Three folders lose their marker, four objects are written, three markers are: ten changes. The eleventh never comes.
    const points = Array.from({ length: 11 }, (_, index) => index + 1);
    const lives = points.flatMap((call) => [["before", call] as const, ["after", call] as const]);
    test.each(lives)("%s change %i is finished by the next", async (when, call) => {
        const life = mortal(call, when);
        const lake = life.wrap(parts.lake, ["remove", "upload", "writeMarker"]);
        await ingest({ source: sourceOf(after), lake, ...quietly, parallel: 2 }).catch(() => undefined);
        expect(life.dead).toBe(call <= 10);
        // Whatever was left: a folder with a marker is whole, in its old version or its new one.
        const left = await parts.contents("logs");
        for (const marker of Object.keys(left).filter((path) => path.endsWith("/_SUCCESS"))) {
            const folder = marker.slice(0, -"_SUCCESS".length);
            expect([inFolder(before, folder), inFolder(after, folder)]).toContainEqual(inFolder(left, folder));
        }

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
