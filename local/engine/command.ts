import { rmSync } from "node:fs";
import type { Workshop } from "../parts/workshop";
import type { Progress } from "../progress";
import { connectionsFile, openEngineStack, openGround, policyPack } from "../stack";
import { findPulumi } from "./cli";

/** What the engine is asked for instead of bringing the stack up. */
export type EngineCommand = "preview" | "refresh" | "destroy";

/** Runs one command of the engine on the local stack, with what it prints shown, and leaves nothing running. */
export async function runEngineCommand(
    workshop: Workshop,
    command: EngineCommand,
    options: { readonly expectNoChanges: boolean },
    progress: Progress,
): Promise<void> {
    // Said at once, and not after the servers have started.
    await findPulumi();
    const stack = await openEngineStack(await openGround(workshop, progress), { policyPack, onOutput: (text) => process.stdout.write(text) });
    progress.step(`${command} by the Pulumi CLI`);
    switch (command) {
        case "preview":
            await stack.preview(options);
            return;
        case "refresh":
            await stack.refresh(options);
            return;
        case "destroy": {
            const { kept } = await stack.destroy();
            rmSync(connectionsFile(workshop), { force: true });
            for (const { type, name } of kept) {
                console.log(`kept, as it is protected: ${type} "${name}"`);
            }
        }
    }
}
