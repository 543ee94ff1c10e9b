import { expect, test } from "vitest";
import { readAhead } from "../../functions/read-ahead";

/** Gives the entries and notes which were asked for. */
function source<T>(entries: readonly T[], failure?: Error): { readonly asked: T[]; readonly entries: AsyncGenerator<T> } {
    const asked: T[] = [];
    return {
        asked,
        entries: (async function* () {
            for (const entry of entries) {
                asked.push(entry);
                yield await Promise.resolve(entry);
            }
            if (failure !== undefined) {
                throw failure;
            }
        })(),
    };
}

async function listed<T>(entries: AsyncIterable<T>): Promise<T[]> {
    const all: T[] = [];
    for await (const entry of entries) {
        all.push(entry);
    }
    return all;
}

test("gives every entry in order", async () => {
    expect(await listed(readAhead(source([1, 2, 3]).entries))).toEqual([1, 2, 3]);
    expect(await listed(readAhead(source([]).entries))).toEqual([]);
});

test("asks for one entry while the reader has the one before, and for no more", async () => {
    const { asked, entries } = source(["a", "b", "c", "d"]);
    const seen: string[][] = [];
    for await (const entry of readAhead(entries)) {
        await Promise.resolve();
        seen.push([entry, ...asked]);
    }
    expect(seen).toEqual([
        ["a", "a", "b"],
        ["b", "a", "b", "c"],
        ["c", "a", "b", "c", "d"],
        ["d", "a", "b", "c", "d"],
    ]);
});

test("fails where the source fails, after what came before", async () => {
    const seen: number[] = [];
    const reading = (async () => {
        for await (const entry of readAhead(source([1, 2], new Error("page 3")).entries)) {
            seen.push(entry);
        }
    })();
    await expect(reading).rejects.toThrow("page 3");
    expect(seen).toEqual([1, 2]);
});

test("a reader that stops early leaves a failure ahead of it alone", async () => {
    for await (const entry of readAhead(source([1], new Error("nobody reads this")).entries)) {
        expect(entry).toBe(1);
        break;
    }
    // An unhandled rejection would fail the run.
    await new Promise((resolve) => setImmediate(resolve));
});
