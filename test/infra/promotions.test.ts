import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { checkPromotions } from "../../infra/handlers/promotions";

function checking(text: string): () => void {
    const file = path.join(mkdtempSync(path.join(tmpdir(), "promotions-")), "promotions.json");
    writeFileSync(file, text);
    return () => checkPromotions(file);
}

describe("ml/promotions.json", () => {
    it("is right", () => {
        expect(() => checkPromotions()).not.toThrow();
    });

    it.each([
        ['{"likely stayers": "season-pass", "older likely leavers": 5}', /promotions\.json: the promotion of segment "older likely leavers" is 5, expected a text/],
        ['{"likely stayers": ""}', /the promotion of segment "likely stayers" is "", expected a text of 1 to 200 characters, or null/],
        ['["season-pass"]', /promotions\.json holds no object, expected/],
        ['{"likely stayers": }', /promotions\.json is no JSON that can be read/],
    ])("is refused as %s, with the place", (text, message) => {
        expect(checking(text)).toThrow(message);
    });

    it("is refused where it is missing", () => {
        expect(() => checkPromotions("/nowhere/promotions.json")).toThrow(/no JSON that can be read: ENOENT/);
    });
});
