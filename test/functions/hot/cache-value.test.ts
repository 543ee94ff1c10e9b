import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeValue, encodeValue, UnstorablePredictionError } from "../../../functions/clients/cache-value";
import { anyPrediction, prediction } from "./predictions";

describe("the value of a stored prediction", () => {
    test("comes back as it went in, within the 44 bytes that Redis embeds", () => {
        fc.assert(
            fc.property(anyPrediction(), fc.integer({ min: 0, max: 0xffff_ffff }), (stored, freshSeconds) => {
                const value = encodeValue(stored, new Date(freshSeconds * 1000));
                expect(value.length).toBeLessThanOrEqual(44);
                const decoded = decodeValue(value);
                expect(decoded).toMatchObject({ segmentId: stored.segment.id, freshUntil: new Date(freshSeconds * 1000) });
                for (const field of ["churn", "purchase", "modelVersion", "scoredAt", "inputsFingerprint"] as const) {
                    expect(decoded?.[field]).toEqual(stored[field]);
                }
            }),
        );
    });

    test("is a miss, never an error, whatever bytes are stored", () => {
        fc.assert(
            fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
                decodeValue(Buffer.from(bytes));
            }),
        );
        const value = encodeValue(prediction("1"), new Date());
        expect(decodeValue(Buffer.concat([Buffer.from([2]), value.subarray(1)]))).toBeUndefined();
        expect(decodeValue(value.subarray(0, 27))).toBeUndefined();
        expect(decodeValue(Buffer.concat([value, Buffer.alloc(18)]))).toBeUndefined();
        expect(decodeValue(Buffer.from('{"Scored Labels":"Y"}'))).toBeUndefined();
    });

    test.each([
        ["churn.probability", { churn: { label: true, probability: 1.01 } }],
        ["purchase.probability", { purchase: { label: true, probability: Number.NaN } }],
        ["segment.id", { segment: { id: 256, name: "x" } }],
        ["modelVersion", { modelVersion: "a-version-far-too-long" }],
        ["inputsFingerprint", { inputsFingerprint: "xyz" }],
        ["scoredAt", { scoredAt: "yesterday" }],
    ])("refuses a prediction whose %s does not fit, by name", (field, change) => {
        const encode = () => encodeValue({ ...prediction("1"), ...change }, new Date());
        expect(encode).toThrow(UnstorablePredictionError);
        expect(encode).toThrow(field);
    });

    test("keeps a time of freshness beyond its four bytes as the greatest", () => {
        const value = encodeValue(prediction("1"), new Date(Date.UTC(2300, 0)));
        expect(decodeValue(value)?.freshUntil.getTime()).toBe(0xffff_ffff * 1000);
    });
});
