import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import { findPulumi } from "../../local/engine/cli";
import { serveProviders } from "../../local/engine/provider";
import { projectDir } from "../../local/parts/paths";
import { run } from "../../local/parts/run";
import { paperCloud } from "../infra/paper-cloud";
import { makeModelFolder } from "../infra/recording";
import { LanguageHost } from "./language-host";

/** The `pulumi` command as people type it, over providers on paper that answer at once, with its states in a folder. */
export class CommandLine {
    private constructor(
        private readonly command: string,
        /** Runs the programs. */
        readonly host: LanguageHost,
        private readonly env: Readonly<Record<string, string>>,
        private readonly running: readonly { stop(): void }[],
    ) {}

    static async start(dir: string): Promise<CommandLine> {
        const { command } = await findPulumi();
        const host = await LanguageHost.start(dir);
        const providers = await serveProviders(paperCloud());
        const [home, state] = [path.join(dir, "home"), path.join(dir, "state")];
        [home, state].forEach((each) => mkdirSync(each, { recursive: true }));
        const env = {
            PATH: `${host.binDir}${path.delimiter}${process.env.PATH}`,
            PULUMI_HOME: home,
            PULUMI_BACKEND_URL: `file://${state}`,
            PULUMI_CONFIG_PASSPHRASE: "passphrase",
            ...providers.env,
        };
        return new CommandLine(command, host, env, [host, providers]);
    }

    stop(): void {
        this.running.forEach((each) => each.stop());
    }

    /** Runs a command in a project's folder. */
    run(project: string, ...args: readonly string[]): ReturnType<typeof run> {
        return run(this.command, ["--non-interactive", "--color", "never", ...args], { cwd: project, env: this.env });
    }

    /** Runs a command that has to succeed. @returns what it wrote */
    async pulumi(project: string, ...args: readonly string[]): Promise<string> {
        const { exitCode, output } = await this.run(project, ...args);
        if (exitCode !== 0) {
            throw new Error(`pulumi ${args.join(" ")} in ${project} ended with ${exitCode}:\n${output}`);
        }
        return output;
    }
}

/** Copies this project as it is, but for the trained models, which a checkout may not have. The stacks say what their files say. */
export function copyProject(dir: string, stacks: readonly string[]): void {
    mkdirSync(dir, { recursive: true });
    symlinkSync(path.join(projectDir, "node_modules"), path.join(dir, "node_modules"));
    for (const name of ["infra", "functions", "ml", "Pulumi.yaml", "package.json", "tsconfig.json"]) {
        cpSync(path.join(projectDir, name), path.join(dir, name), { recursive: true });
    }
    for (const stack of stacks) {
        const file = `Pulumi.${stack}.yaml`;
        const { config } = parse(readFileSync(path.join(projectDir, file), "utf8")) as { readonly config: Record<string, unknown> };
        writeFileSync(path.join(dir, file), stringify({ config: { ...config, "player-predictions:modelFolder": makeModelFolder() } }));
    }
}
