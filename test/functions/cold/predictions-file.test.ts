import { Readable } from "node:stream";
import { stringify } from "csv-stringify/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileColumns as columns } from "../../../functions/load/columns";
import { MalformedFileError } from "../../../functions/load/csv-rows";
import { readPredictions, type RejectedRow } from "../../../functions/load/predictions-file";
import { WrongHeaderError } from "../../../functions/load/row";
import type { FingerprintedPrediction } from "../../../functions/prediction";
import { csvOf, prediction, recordOf } from "./predictions";

async function read(content: string | Buffer, chunkBytes = 64 * 1024) {
    const bytes = Buffer.from(content);
    const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
        bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
    );
    const predictions: FingerprintedPrediction[] = [];
    const rejected: RejectedRow[] = [];
    for await (const rows of readPredictions(Readable.from(chunks, { objectMode: false }))) {
        predictions.push(...rows.predictions);
        rejected.push(...rows.rejected);
    }
    return { predictions, rejected };
}

const header = columns.join(",");
const row = "p1,1,0.25,0,0.000001,3,Night owls,0123456789ab,2026-01-31T12:00:00.000Z,0123456789abcdef";
const unit = fc.integer({ min: 0, max: 1_000_000 }).map((millionths) => millionths / 1_000_000);
const character = fc.oneof(fc.constantFrom(..."가나다\"',\n\r\t é💎"), fc.string({ minLength: 1, maxLength: 1 }));
const words = (maxLength: number) =>
    fc
        .string({ unit: character, minLength: 1, maxLength })
        .map((text) => [...text].slice(0, maxLength).join(""))
        .filter((text) => !text.endsWith(" ") && text !== "");
const anyPrediction: fc.Arbitrary<FingerprintedPrediction> = fc.record({
    playerId: words(64),
    churn: fc.record({ label: fc.boolean(), probability: unit }),
    purchase: fc.record({ label: fc.boolean(), probability: unit }),
    segment: fc.record({ id: fc.integer({ min: 0, max: 255 }), name: words(80) }),
    modelVersion: fc.stringMatching(/^[0-9a-f]{12}$/u),
    scoredAt: fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }).map((date) => date.toISOString()),
    inputsFingerprint: fc.stringMatching(/^[0-9a-f]{16}$/u),
});

describe("a file of predictions", () => {
    test("gives back what was written, in any order of columns, line ends, chunks, with or without BOM", async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.array(anyPrediction, { maxLength: 20 }),
                fc.shuffledSubarray([...columns], { minLength: columns.length }),
                fc.record({ bom: fc.boolean(), crlf: fc.boolean(), quoted: fc.boolean(), chunk: fc.integer({ min: 1, max: 200 }) }),
                async (predictions, order, { bom, crlf, quoted, chunk }) => {
                    const text = stringify(predictions.map(recordOf), {
                        columns: order,
                        header: true,
                        bom,
                        quoted,
                        record_delimiter: crlf ? "\r\n" : "\n",
                        // A lone carriage return is no line end, and writers quote it all the same.
                        quoted_match: /[\r\n",]/u,
                    });
                    expect(await read(text, chunk)).toEqual({ predictions, rejected: [] });
                },
            ),
            { numRuns: 300 },
        );
    });

    test("of arbitrary fields is split into good rows and rejected rows, none lost", async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.array(fc.array(fc.string({ unit: "grapheme" }), { minLength: 2, maxLength: 12 }), { maxLength: 30 }),
                async (records) => {
                    const { predictions, rejected } = await read(`${header}\n${stringify(records)}${row}\n`);
                    expect(predictions).toHaveLength(1);
                    expect(rejected).toHaveLength(records.length);
                },
            ),
        );
    });

    test("of arbitrary bytes is read or refused, never a crash", async () => {
        await fc.assert(
            fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
                const content = Buffer.concat([Buffer.from(`${header}\n`), bytes]);
                await read(content).catch((error: unknown) => expect(error).toBeInstanceOf(MalformedFileError));
            }),
        );
    });

    test.each([
        ["a missing field", "p1,1,0.25", "has 3 fields, expected 10"],
        ["no player", row.replace("p1", ""), "player_id"],
        ["a player id that MySQL takes for another", row.replace("p1", "p1 "), "player_id"],
        ["a player id of 65 characters", row.replace("p1", "💎".repeat(65)), "player_id"],
        ["a label in words", row.replace(",1,", ",true,"), "churn_label"],
        ["a probability above 1", row.replace("0.25", "1.000001"), "churn_probability"],
        ["a probability that is no number", row.replace("0.25", "nan"), "churn_probability"],
        ["a probability of 7 decimals", row.replace("0.25", "0.1234567"), "churn_probability"],
        ["a segment above 255", row.replace(",3,", ",256,"), "segment_id"],
        ["no segment name", row.replace("Night owls", ""), "segment_name"],
        ["a long model version", row.replace("0123456789ab,", "0123456789abcdef01,"), "model_version"],
        ["a day that is none", row.replace("01-31T", "02-31T"), "scored_at"],
        ["a time without zone", row.replace("Z", ""), "scored_at"],
        ["a short fingerprint", row.replace("0123456789abcdef", "0123456789abcde"), "inputs_fingerprint"],
        ["a stray quote", row.replace("p1", '"p"1'), "stray quote"],
    ])("sets aside a row with %s, with its line and reason", async (_name, bad, reason) => {
        const { predictions, rejected } = await read(`${header}\n"p\n0"${row.slice(2)}\n\n${bad}\n${row}\n`);
        expect(predictions.map(({ playerId }) => playerId)).toEqual(["p\n0", "p1"]);
        expect(rejected).toEqual([{ line: 5, reason: expect.stringContaining(reason) as string, row: bad }]);
    });

    test("takes numbers as Python writes small ones", async () => {
        const { predictions } = await read(`${header}\n${row.replace("0.25", "1e-06")}\n`);
        expect(predictions[0]?.churn.probability).toBe(0.000001);
    });

    test("takes 64 characters outside the basic plane for an id", async () => {
        const { predictions } = await read(csvOf([prediction("💎".repeat(64))]));
        expect(predictions[0]?.playerId).toBe("💎".repeat(64));
    });

    test.each([
        ["is empty", ""],
        ["has no header", `${row}\n`],
        ["lacks a column", `${columns.slice(1).join(",")}\n`],
        ["has a column too many", `${header},extra\n`],
        ["has a column twice", `${header.replace("churn_label", "player_id")}\n`],
    ])("is refused when it %s", async (_name, content) => {
        await expect(read(content)).rejects.toThrow(WrongHeaderError);
    });

    test("is refused when a quote never closes, from a short and from an endless row", async () => {
        await expect(read(`${header}\n"p1,${row}\n`)).rejects.toThrow(MalformedFileError);
        await expect(read(`${header}\n"p1,${`${row}\n`.repeat(2_000)}`)).rejects.toThrow(MalformedFileError);
    });

    test("that breaks off while it is read is no end", async () => {
        async function* broken() {
            yield Buffer.from(`${header}\n${row}\n`);
            await Promise.resolve();
            throw new Error("link lost");
        }
        await expect(async () => {
            for await (const rows of readPredictions(Readable.from(broken()))) {
                expect(rows.rejected).toEqual([]);
            }
        }).rejects.toThrow("link lost");
    });
});
