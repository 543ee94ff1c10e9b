import { describe, expect, test } from "vitest";
import { openApiDocument } from "../../../functions/predict/openapi";

describe("the OpenAPI document", () => {
    test("describes the operations with the limits that the check has", () => {
        const { schemas } = openApiDocument().components;
        expect(Object.keys(schemas).sort()).toEqual(["Batch", "BatchList", "Health", "Prediction", "PredictionAnswer", "PredictionRequest", "Problem"]);
        expect(schemas["PredictionRequest"]).toMatchObject({
            type: "object",
            additionalProperties: false,
            required: ["players"],
            properties: {
                players: {
                    minItems: 1,
                    maxItems: 1000,
                    items: {
                        required: ["playerId"],
                        properties: { playerId: { type: "string", minLength: 1, maxLength: 64 }, features: { type: "object" } },
                    },
                },
                match: { enum: ["player", "inputs"] },
                maxAgeSeconds: { type: "integer", minimum: 0 },
            },
        });
    });

    test("has every schema that it refers to, and no identity of its own in them", () => {
        const text = JSON.stringify(openApiDocument());
        const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]);
        expect(references.length).toBeGreaterThan(5);
        expect(Object.keys(openApiDocument().components.schemas)).toEqual(expect.arrayContaining(references));
        expect(text).not.toContain('"$id"');
        expect(text).not.toContain('"$schema"');
        expect(text).not.toContain("$defs");
    });
});
