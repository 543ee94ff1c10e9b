import fc from "fast-check";
import { expect, test } from "vitest";
import { answerSchema, playerErrorSchema } from "../../../functions/predict/answer";
import { answerText, digits } from "../../../functions/predict/answer-text";
import { promotionOf } from "../../../functions/predict/promotions";
import promotions from "../../../ml/promotions.json";
import { anyPrediction } from "./predictions";

const named = anyPrediction().chain((prediction) =>
    fc.constantFrom(prediction.segment.name, ...Object.keys(promotions)).map((name) => ({ ...prediction, segment: { ...prediction.segment, name } })),
);
const anyAnswered = fc.record({ prediction: named, source: fc.constantFrom("cache" as const, "model" as const, "stale" as const) });
const anyError = fc.record({
    playerId: fc.string({ minLength: 1, maxLength: 64, unit: "binary" }),
    code: fc.constantFrom(...playerErrorSchema.shape.code.options),
    message: fc.string(),
});

test("an answer's text is the very JSON of what the schema allows, whatever the ids, names and numbers", () => {
    fc.assert(
        fc.property(fc.array(anyAnswered, { maxLength: 5 }), fc.array(anyError, { maxLength: 3 }), (predictions, errors) => {
            const answer = {
                predictions: predictions.map(({ prediction, source }) => {
                    const { playerId, churn, purchase, segment, modelVersion, scoredAt } = prediction;
                    return { playerId, churn, purchase, segment, promotion: promotionOf(segment.name), modelVersion, scoredAt, source };
                }),
                errors,
            };
            const text = answerText({ predictions, errors });
            expect(text).toBe(JSON.stringify(answer));
            expect(answerSchema.strict().parse(JSON.parse(text))).toEqual(answer);
        }),
        { numRuns: 500 },
    );
});

test("a probability of six decimals has the digits that JavaScript gives it, each of them", () => {
    const wrong: number[] = [];
    for (let millionths = 0; millionths <= 1_000_000; millionths += 1) {
        const probability = millionths / 1_000_000;
        if (digits(probability) !== String(probability)) {
            wrong.push(probability);
        }
    }
    expect(wrong).toEqual([]);
});

test("any other number from 0 to 1 has them too", () => {
    fc.assert(
        fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (number) => {
            expect(digits(number)).toBe(String(number));
        }),
    );
});
