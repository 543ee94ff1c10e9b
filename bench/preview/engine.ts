import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { findPulumi } from "../../local/engine/cli";
import { serveProvider } from "../../local/engine/provider";
import { run } from "../../local/parts/run";
import { paperCloud } from "../../test/infra/paper-cloud";
import { LanguageHost, type ProgramRun } from "./language-host";

/** A preview that was run. */
export interface PreviewRun extends ProgramRun {
    /** From the command's start to its end. */
    readonly wallSeconds: number;
    /** Resources that would be made, components among them. */
    readonly resources: number;
}

/** Runs `pulumi preview` of projects, with nothing but the program and the engine at work: providers that answer at once, a state on disk. */
export class PreviewEngine {
    private constructor(
        private readonly dir: string,
        private readonly command: string,
        private readonly host: LanguageHost,
        private readonly env: Readonly<Record<string, string>>,
        private readonly running: readonly { stop(): void }[],
    ) {}

    static async start(dir: string): Promise<PreviewEngine> {
        const { command } = await findPulumi();
        const host = await LanguageHost.start(dir);
        const packages = [
            { name: "azure-native", version: "3.28.0" },
            { name: "azuread", version: "6.9.1" },
            { name: "aws", version: "7.48.0" },
        ];
        const served = await Promise.all(packages.map(async (each) => ({ ...each, ...(await serveProvider(paperCloud(), each)) })));
        const [home, state] = [path.join(dir, "home"), path.join(dir, "state")];
        [home, state].forEach((each) => mkdirSync(each, { recursive: true }));
        const env = {
            PATH: `${host.binDir}${path.delimiter}${process.env.PATH}`,
            PULUMI_HOME: home,
            PULUMI_BACKEND_URL: `file://${state}`,
            PULUMI_CONFIG_PASSPHRASE: "bench",
            PULUMI_DEBUG_PROVIDERS: served.map(({ name, port }) => `${name}:${port}`).join(","),
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
            PULUMI_SKIP_UPDATE_CHECK: "true",
        };
        return new PreviewEngine(dir, command, host, env, [host, ...served]);
    }

    stop(): void {
        this.running.forEach((each) => each.stop());
    }

    /** Makes the stack `dev` of a project. */
    async makeStack(project: string): Promise<void> {
        await this.#pulumi(project, ["stack", "init", "dev"]);
    }

    /** @param cold whether nothing is there that a run before has compiled or bundled */
    async preview(project: string, cold: boolean): Promise<PreviewRun> {
        const cache = path.join(project, "cache");
        mkdirSync(cache, { recursive: true });
        this.host.tmpDir = cold ? mkdtempSync(path.join(this.dir, "cold-")) : cache;
        if (cold) {
            rmSync(path.join(project, "build"), { recursive: true, force: true });
        }
        const started = performance.now();
        const output = await this.#pulumi(project, ["preview", "--stack", "dev", "--json"]);
        const wallSeconds = (performance.now() - started) / 1000;
        const { changeSummary } = JSON.parse(output.slice(output.indexOf("{"))) as { readonly changeSummary?: { readonly create?: number } };
        const program = this.host.runs.at(-1);
        if (program === undefined) {
            throw new Error(`no program was run for ${project}:\n${output}`);
        }
        return { ...program, wallSeconds, resources: changeSummary?.create ?? 0 };
    }

    async #pulumi(cwd: string, args: readonly string[]): Promise<string> {
        const { exitCode, output } = await run(this.command, ["--non-interactive", "--color", "never", ...args], { cwd, env: this.env });
        if (exitCode !== 0) {
            throw new Error(`pulumi ${args.join(" ")} in ${cwd} ended with ${exitCode}:\n${output}`);
        }
        return output;
    }
}
