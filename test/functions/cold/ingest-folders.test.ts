import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { LakeError } from "../../../functions/clients/lake-errors";
import { defaultLimits } from "../../../functions/ingest/limits";
import { IngestError } from "../../../functions/ingest/summary";
import { type IngestWorld, startIngestWorld } from "./ingest-world";

/** One object at a time: what happens is then in the listing's order. */
const limits = () => ({ ...defaultLimits(), objects: 1 });

describe("the folders of an ingest run", () => {
    let world: IngestWorld;
    beforeAll(async () => {
        world = await startIngestWorld();
    }, 600_000);
    afterAll(() => world.stop());
    afterEach(() => world.parts.clear());

    test("one that something of failed is not marked, though a listing out of order comes back to it", async () => {
        await world.fill({ "players/a/1": "x", "players/a/2": "x", "players/b/1": "x" });
        const { source } = world;
        const outOfOrder = ["players/a/1", "players/b/1", "players/a/2"];
        const { summary, failure } = await world.run({
            limits: limits(),
            source: {
                ...source,
                async *list() {
                    const listed = [];
                    for await (const object of source.list()) {
                        listed.push(object);
                    }
                    yield* listed.toSorted((a, b) => outOfOrder.indexOf(a.key) - outOfOrder.indexOf(b.key));
                },
                read: (object, signal) => (object.key === "players/a/1" ? Promise.reject(new Error("archived")) : source.read(object, signal)),
            },
        });
        expect(failure).toBeInstanceOf(IngestError);
        expect(summary).toMatchObject({ copied: 2, folders: ["players/b"] });
        expect(await world.parts.contents("logs")).toEqual({ "players/a/2": "x", "players/b/1": "x", "players/b/_SUCCESS": "" });
    });

    test("a marker that could not be taken away costs the object that it was for, and the next one tries again", async () => {
        await world.fill({ "players/a/1": "x" });
        await world.run();
        await world.put({ "players/a/2": "x", "players/a/3": "x" });
        const { lake } = world.parts;
        let removals = 0;
        const failingOnce = {
            ...lake,
            remove: (...given: Parameters<typeof lake.remove>) => {
                removals += 1;
                return removals === 1 ? Promise.reject(new LakeError("could not delete", 503)) : lake.remove(...given);
            },
        };
        const { summary } = await world.run({ limits: limits(), lake: failingOnce });
        expect(summary).toMatchObject({ copied: 1, folders: [], failed: [{ key: "players/a/2" }] });
        expect(await world.parts.contents("logs")).toEqual({ "players/a/1": "x", "players/a/3": "x" });
        expect((await world.run()).summary).toMatchObject({ copied: 1, folders: ["players/a"] });
    });
});
