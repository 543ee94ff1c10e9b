import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { projectDir } from "../local/parts/paths";
import { withMarked } from "./marked-text";
import { scaleTables } from "./scale/report";

/** What 1, 10 and 100 million players a day take, computed from what was measured: `npm run scale` prints it and brings docs/scale.md up to date. */

const document = "docs/scale.md";
const file = path.join(projectDir, document);

/** The document's text with its tables as the rules compute them now. @throws Error where the marks of a table are missing */
export function withScaleTables(text: string): string {
    return Object.entries(scaleTables()).reduce((written, [name, table]) => withMarked(document, written, name, table), text);
}

export function readScale(): string {
    return readFileSync(file, "utf8");
}

if (require.main === module) {
    writeFileSync(file, withScaleTables(readScale()));
    console.log(Object.values(scaleTables()).join("\n\n"));
}
