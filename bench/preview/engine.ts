import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { CommandLine } from "../../test/engine/command-line";
import type { ProgramRun } from "../../test/engine/language-host";

/** A preview that was run. */
export interface PreviewRun extends ProgramRun {
    /** From the command's start to its end. */
    readonly wallSeconds: number;
    /** Resources that would be made, components among them. */
    readonly resources: number;
}

/** Runs `pulumi preview` of projects and measures it: nothing but the program and the engine is at work. */
export class PreviewEngine {
    private constructor(
        private readonly dir: string,
        private readonly commandLine: CommandLine,
    ) {}

    static async start(dir: string): Promise<PreviewEngine> {
        return new PreviewEngine(dir, await CommandLine.start(dir));
    }

    stop(): void {
        this.commandLine.stop();
    }

    /** Makes the stack `dev` of a project. */
    async makeStack(project: string): Promise<void> {
        await this.commandLine.pulumi(project, "stack", "init", "dev");
    }

    /** @param cold whether nothing is there that a run before has compiled or bundled */
    async preview(project: string, cold: boolean): Promise<PreviewRun> {
        const { host } = this.commandLine;
        const cache = path.join(project, "cache");
        mkdirSync(cache, { recursive: true });
        host.tmpDir = cold ? mkdtempSync(path.join(this.dir, "cold-")) : cache;
        if (cold) {
            rmSync(path.join(project, "build"), { recursive: true, force: true });
        }
        const started = performance.now();
        const output = await this.commandLine.pulumi(project, "preview", "--stack", "dev", "--json");
        const wallSeconds = (performance.now() - started) / 1000;
        const { changeSummary } = JSON.parse(output.slice(output.indexOf("{"))) as { readonly changeSummary?: { readonly create?: number } };
        const program = host.runs.at(-1);
        if (program === undefined) {
            throw new Error(`no program was run for ${project}:\n${output}`);
        }
        return { ...program, wallSeconds, resources: changeSummary?.create ?? 0 };
    }
}
