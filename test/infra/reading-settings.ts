import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect } from "vitest";
import { readStackSettings, type StackSettings, StackSettingsError } from "../../infra/settings";
import { writtenInPlain, writtenNumbers } from "../../infra/written-values";
import { stackConfig } from "./recording";

const dir = mkdtempSync(path.join(tmpdir(), "settings-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/**
 * Reads the settings of a stack's file with some of its keys changed.
 * @param written the file as far as a test says what is in it
 */
export function read(overrides: Record<string, string | undefined> = {}, stack = "dev", written = ""): StackSettings {
    const given = Object.entries({ ...stackConfig(stack), ...Object.fromEntries(Object.entries(overrides).map(([key, value]) => [full(key), value])) });
    const config = Object.fromEntries(given.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
    writeFileSync(path.join(dir, `Pulumi.${stack}.yaml`), written);
    return readStackSettings(config, stack, writtenNumbers(stack, dir), writtenInPlain(stack, dir));
}

/** A key with the project's namespace, as the engine has it. */
export function full(key: string): string {
    return key.includes(":") ? key : `player-predictions:${key}`;
}

/** What is said of the settings, a fault a line. */
export function faultsOf(overrides: Record<string, string | undefined>, written = ""): string[] {
    try {
        read(overrides, "dev", written);
    } catch (error) {
        expect(error).toBeInstanceOf(StackSettingsError);
        return (error as Error).message.split("\n");
    }
    return [];
}

/** The endpoints of a studio that has its own. */
export const existing = {
    existingScoringUri: "https://online.example.com/score",
    existingScoringDeployment: "blue",
    existingBatchUri: "https://batch.example.com/jobs",
    existingBatchDeployment: "green",
    existingOutputDatastore: "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/d",
    existingModelVersion: "2026.1",
};
