import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { sharedDir } from "./paths";
import { endGroup, isRunning, type ProcessId } from "./processes";

/** One running process of a workshop, on record for whoever comes after an owner that was killed. */
const recordShape = z.object({
    name: z.string(),
    process: z.object({ pid: z.number().int().positive(), started: z.string() }),
    owner: z.object({ pid: z.number().int().positive(), started: z.string() }),
});

export type ProcessRecord = z.infer<typeof recordShape>;

/** Where all workshops of the project are entered, those in temporary folders too, which nobody opens a second time. */
const registerDir = path.join(sharedDir, "workshops");

/** Puts a process on record. @returns what takes it off again */
export function record(dir: string, entry: { readonly name: string; readonly process: ProcessId; readonly owner: ProcessId }): () => void {
    mkdirSync(registerDir, { recursive: true });
    writeFileSync(path.join(registerDir, createHash("sha256").update(dir).digest("hex").slice(0, 16)), dir);
    const file = path.join(runDirOf(dir), `${entry.name}-${entry.process.pid}.json`);
    writeFileSync(file, JSON.stringify(entry));
    return () => rmSync(file, { force: true });
}

/** Ends the processes that owners left who were killed: in this folder, and in every other workshop of the project. */
export async function endLeftovers(dir: string, graceMs: number): Promise<void> {
    await endLeftoversIn(dir, graceMs);
    for (const entry of existsSync(registerDir) ? readdirSync(registerDir) : []) {
        const file = path.join(registerDir, entry);
        const other = existsSync(file) ? readFileSync(file, "utf8") : "";
        await endLeftoversIn(other, graceMs);
        if (recordsIn(other).length === 0) {
            rmSync(file, { force: true });
        }
    }
}

async function endLeftoversIn(dir: string, graceMs: number): Promise<void> {
    await Promise.all(
        recordsIn(dir).map(async (file) => {
            const left = readRecord(file);
            if (left !== undefined && isRunning(left.owner)) {
                return;
            }
            if (left !== undefined) {
                await endGroup(left.process, graceMs);
            }
            rmSync(file, { force: true });
        }),
    );
}

function runDirOf(dir: string): string {
    return path.join(dir, "run");
}

function recordsIn(dir: string): string[] {
    const runDir = runDirOf(dir);
    return existsSync(runDir) ? readdirSync(runDir).filter((file) => file.endsWith(".json")).map((file) => path.join(runDir, file)) : [];
}

/** A record, or undefined when its owner was killed while it wrote it, or another has ended it meanwhile. */
function readRecord(file: string): ProcessRecord | undefined {
    try {
        return recordShape.parse(JSON.parse(readFileSync(file, "utf8")));
    } catch {
        return undefined;
    }
}
