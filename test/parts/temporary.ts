import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { openWorkshop, type Workshop } from "../../local/parts/workshop";

/** A folder that is gone after the test. */
export function temporaryDir(): string {
    const dir = mkdtempSync(path.join(tmpdir(), "player-predictions-parts-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
}

/** A workshop that is stopped after the test. */
export async function temporaryWorkshop(dir = temporaryDir()): Promise<Workshop> {
    const workshop = await openWorkshop(dir);
    onTestFinished(() => workshop.stop());
    return workshop;
}
