import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { StorageAccount } from "@pulumi/azure-native/storage/storageAccount";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { program } from "../../infra/program";
import { EngineError, type EngineStack } from "../../local/engine/engine-stack";
import { openWorkshop, type Workshop } from "../../local/parts/workshop";
import { Progress } from "../../local/progress";
import { openEngineStack, openGround, policyPack } from "../../local/stack";
import { fakePackage, makeModelFolder } from "../infra/recording";

const minutes = 60_000;

describe("the local stack under the engine", () => {
    const dir = mkdtempSync(path.join(tmpdir(), "policy-engine-"));
    let workshop: Workshop;
    let engine: EngineStack;
    let isCareless = false;
    beforeAll(async () => {
        workshop = await openWorkshop(dir);
        const ground = await openGround(workshop, new Progress());
        engine = await openEngineStack(ground, {
            policyPack,
            program: async () => {
                if (isCareless) {
                    new StorageAccount("careless", {
                        resourceGroupName: "players-local",
                        sku: { name: "Standard_LRS" },
                        kind: "StorageV2",
                        allowBlobPublicAccess: true,
                    });
                }
                return (await program({ package: fakePackage })) as Record<string, unknown>;
            },
        });
        await engine.configure({ ...ground.config.values, [`${ground.config.project}:modelFolder`]: makeModelFolder() });
    }, 5 * minutes);
    afterAll(async () => {
        await workshop.stop();
        rmSync(dir, { recursive: true, force: true });
    }, minutes);

    it(
        "keeps the policies",
        async () => {
            isCareless = false;
            expect((await engine.preview()).length).toBeGreaterThan(50);
        },
        5 * minutes,
    );

    it(
        "fails a preview that breaks some, with what to change",
        async () => {
            isCareless = true;
            const error = await engine.preview().catch((thrown: unknown) => thrown);
            expect(error).toBeInstanceOf(EngineError);
            const { message } = error as EngineError;
            expect(message).toContain(
                "careless: policy storage-no-public-access: Nothing in a storage account is readable without signing in.\nallowBlobPublicAccess is true: set it to false",
            );
            expect(message).toContain("careless: policy storage-blob-settings: ");
            expect(message).not.toContain("playerslake");
        },
        5 * minutes,
    );
});
