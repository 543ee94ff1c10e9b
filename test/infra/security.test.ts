import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { record } from "./recording";
import { openingsOf, rightsOf, secretsOf, withStacks, type Row } from "./security-facts";

const document = readFileSync(path.resolve(__dirname, "..", "..", "docs", "security.md"), "utf8");

/** The rows of the table below a heading, without their last cell. */
function table(heading: string): string[] {
    const section = document.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? "";
    const lines = section.split("\n").filter((line) => line.startsWith("|"));
    return lines
        .slice(2)
        .map((line) => line.split(" | ").slice(0, -1).join(" | ").replace(/^\| /, "").replaceAll("`", ""))
        .sort();
}

const password = { databaseAuth: "password", databasePassword: "secret" };
const recordings = Promise.all([
    record(),
    record({ stack: "prod" }),
    record({ config: password }),
    record({ config: { trainingFolder: "players/_labelled" } }),
]);

async function facts(of: (recording: Awaited<ReturnType<typeof record>>) => Row[]): Promise<string[]> {
    const [dev, prod, withPassword, retrained] = (await recordings).map(of) as [Row[], Row[], Row[], Row[]];
    const known = new Set(dev.map((row) => row.join(" | ")));
    const added = (rows: Row[]) => rows.filter((row) => !known.has(row.join(" | ")));
    return withStacks({ dev, prod, "with a password": added(withPassword), "with retraining": added(retrained) });
}

describe("docs/security.md", () => {
    it("names every right that the program gives, and no other", async () => {
        expect(table("Identities")).toEqual(await facts(rightsOf));
    });

    it("names every network opening that the program makes, and no other", async () => {
        expect(table("Network openings")).toEqual(await facts(openingsOf));
    });

    it("names every secret that the program has to do with, and no other", async () => {
        expect(table("Secrets")).toEqual(await facts(secretsOf));
    });
});
