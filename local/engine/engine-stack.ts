import { mkdirSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as automation from "@pulumi/pulumi/automation";
import type { LocalCloud } from "../cloud/cloud";
import type { StackConfig } from "../cloud/in-process";
import type { Workshop } from "../parts/workshop";
import { findPulumi } from "./cli";
import { resourceOf, serveProviders } from "./provider";
import { restore, stateShape, type State } from "./restore";

export interface EngineStackOptions {
    readonly workshop: Workshop;
    readonly cloud: LocalCloud;
    readonly stack: string;
    readonly config: StackConfig;
    /** Configuration that is in no file, by key without the project's name: the program is given it when it runs. */
    readonly secrets: Readonly<Record<string, string>>;
    /** What the state's secrets are encrypted with. */
    readonly passphrase: string;
    readonly program: automation.PulumiFn;
    /** Policies that previews and updates have to keep: a pack's folder or program. @default none */
    readonly policyPack?: string;
    /** Gets what the engine prints. @default nobody */
    readonly onOutput?: (text: string) => void;
}

export interface Resource {
    readonly type: string;
    /** Logical name. */
    readonly name: string;
}

/** One thing that the engine did, or in a preview would do. */
export interface Operation extends Resource {
    /** Such as `create`, `update`, `delete`; of a replaced resource `create-replacement` and `delete-replaced`, in the order of their being done. */
    readonly op: string;
    /** Inputs that made it necessary. */
    readonly because: readonly string[];
}

/** The engine refused or could not finish; the message has what it and the program said, a line each. */
export class EngineError extends Error {
    override readonly name = "EngineError";
}

/**
 * The stack under Pulumi's own engine: its program in this process, its providers served by the local cloud, its state and settings in
 * the workshop's folder. Before anything else each command has that run again which the state says is there.
 */
export class EngineStack {
    private constructor(
        private readonly options: EngineStackOptions,
        private readonly stack: automation.Stack,
    ) {}

    /** @throws PulumiCliError where there is no CLI */
    static async open(options: EngineStackOptions): Promise<EngineStack> {
        const { workshop, cloud, stack: stackName, config, passphrase } = options;
        const pulumiCommand = await findPulumi();
        const dir = path.join(workshop.dir, "engine");
        const [workDir, home, state] = [path.join(dir, "project"), path.join(dir, "home"), path.join(dir, "state")];
        [workDir, home, state].forEach((each) => mkdirSync(each, { recursive: true }));
        const providers = await serveProviders(cloud);
        workshop.onStop(() => Promise.resolve(providers.stop()));
        const stack = await automation.LocalWorkspace.createOrSelectStack(
            { stackName, projectName: config.project, program: withSecrets(options) },
            {
                workDir,
                pulumiHome: home,
                pulumiCommand,
                projectSettings: { name: config.project, runtime: "nodejs", backend: { url: `file://${state}` } },
                envVars: { PULUMI_CONFIG_PASSPHRASE: passphrase, ...providers.env },
            },
        );
        const opened = new EngineStack(options, stack);
        await opened.configure(config.values);
        return opened;
    }

    /** Sets the stack's configuration for the commands to come: these values and nothing else. */
    async configure(values: Readonly<Record<string, string>>): Promise<void> {
        const { workspace, name } = this.stack;
        const settings = await workspace.stackSettings(name);
        await workspace.saveStackSettings(name, { ...settings, config: { ...values } });
    }

    /** What `up` would do. `plan` is the file that `--save-plan` would write. */
    async preview(options: { readonly expectNoChanges?: boolean; readonly plan?: string } = {}): Promise<Operation[]> {
        await this.restore();
        return (await this.#run((events) => this.stack.preview({ ...events, ...options, ...this.#policies() }))).operations;
    }

    /** What `pulumi preview --json` prints. */
    async previewJson(): Promise<string> {
        await this.restore();
        // The Automation API has no option for it; the CLI takes every option from the environment too.
        const { envVars } = this.stack.workspace;
        envVars.PULUMI_OPTION_JSON = "true";
        try {
            const { result } = await this.#run((events) => this.stack.preview({ ...events, onOutput: undefined }));
            return result.stdout;
        } finally {
            delete envVars.PULUMI_OPTION_JSON;
        }
    }

    async up(options: { readonly expectNoChanges?: boolean } = {}): Promise<{ readonly operations: Operation[]; readonly outputs: Record<string, unknown> }> {
        await this.restore();
        const { operations, result } = await this.#run((events) => this.stack.up({ ...events, ...options, ...this.#policies(), suppressOutputs: true }));
        return { operations, outputs: Object.fromEntries(Object.entries(result.outputs).map(([key, { value }]) => [key, value as unknown])) };
    }

    /** Takes over into the state what was changed or deleted behind its back. */
    async refresh(options: { readonly expectNoChanges?: boolean } = {}): Promise<Operation[]> {
        await this.restore({ tolerant: true });
        return (await this.#run((events) => this.stack.refresh({ ...events, ...options, suppressOutputs: true }), "resOutputsEvent")).operations;
    }

    /** Removes all but what is protected and what that depends on. @returns the protected ones beside what was done */
    async destroy(): Promise<{ readonly operations: Operation[]; readonly kept: readonly Resource[] }> {
        await this.restore({ tolerant: true });
        const { operations } = await this.#run((events) => this.stack.destroy({ ...events, excludeProtected: true, suppressOutputs: true }));
        const kept = (await this.state()).resources.filter((resource) => resource.protect).map(({ urn }) => resourceOf(urn));
        return { operations, kept };
    }

    async state(): Promise<State> {
        return stateShape.parse((await this.stack.exportStack()).deployment);
    }

    /** @param tolerant goes on where something cannot be brought back: what it was about is gone, or is to go */
    async restore({ tolerant = false } = {}): Promise<void> {
        const exported = await this.stack.exportStack();
        const state = stateShape.parse(exported.deployment);
        const { corrected, failed } = await restore(this.options.cloud, state);
        const messages = failed.map(({ error }) => (error instanceof Error ? error.message : String(error)));
        if (messages.length > 0 && !tolerant) {
            throw new EngineError(`not everything that the state names could be brought back; refresh the state (--refresh), or destroy the stack (--destroy):\n${messages.join("\n")}`);
        }
        messages.forEach((message) => this.options.onOutput?.(`not brought back: ${message}\n`));
        if (corrected !== undefined) {
            await this.stack.importStack({ ...exported, deployment: corrected });
        }
    }

    #policies(): { readonly policyPacks?: string[] } {
        const { policyPack } = this.options;
        return policyPack === undefined ? {} : { policyPacks: [policyPack] };
    }

    /** @param told when an operation is told: when it begins, or, in a refresh, which finds it out, when it is done */
    async #run<T>(
        command: (events: Events) => Promise<T>,
        told: "resourcePreEvent" | "resOutputsEvent" = "resourcePreEvent",
    ): Promise<{ readonly operations: Operation[]; readonly result: T }> {
        const operations: Operation[] = [];
        const errors: string[] = [];
        const onEvent = (event: automation.EngineEvent): void => {
            const done = operationOf(event[told]?.metadata);
            if (done !== undefined) {
                operations.push(done);
            }
            const { diagnosticEvent: diagnostic, policyEvent: policy } = event;
            if (policy?.enforcementLevel === "mandatory") {
                errors.push(`${policy.resourceUrn === undefined ? "" : `${resourceOf(policy.resourceUrn).name}: `}policy ${policy.policyName}: ${plain(policy.message)}`);
            }
            if (diagnostic?.severity === "error") {
                errors.push(`${diagnostic.urn === undefined ? "" : `${resourceOf(diagnostic.urn).name}: `}${plain(diagnostic.message)}`);
            }
        };
        try {
            return { operations, result: await command({ onEvent, onOutput: this.options.onOutput, color: "never" }) };
        } catch (error) {
            throw new EngineError(errors.length > 0 ? errors.join("\n") : refusal(error, operations), { cause: error });
        }
    }
}

/** What the CLI refused a command for, without all else that it printed. */
function refusal(error: unknown, operations: readonly Operation[]): string {
    const text = error instanceof Error ? error.message : String(error);
    const reason = /^error: (?<reason>.*)$/m.exec(text)?.groups?.reason;
    return reason === undefined ? text : [reason, ...operations.map(({ op, type, name }) => `${op} ${type} "${name}"`)].join("\n");
}

/** The program, with configuration that the command line, where every user of the machine could read it, must not see. */
function withSecrets({ program, secrets, config }: EngineStackOptions): automation.PulumiFn {
    return async () => {
        Object.entries(secrets).forEach(([key, value]) => pulumi.runtime.setConfig(`${config.project}:${key}`, value));
        return (await program()) as Record<string, unknown>;
    };
}

interface Events {
    readonly onEvent: (event: automation.EngineEvent) => void;
    readonly onOutput: ((text: string) => void) | undefined;
    readonly color: "never";
}

/** Nothing happens to the resource; the steps of a replacement are told one by one. */
const untold = new Set(["same", "refresh", "replace"]);

/** A message without the engine's marks of colour. */
function plain(message: string): string {
    return message.replace(/<\{%[^%]*%\}>/g, "").trim();
}

function operationOf(metadata: automation.StepEventMetadata | undefined): Operation | undefined {
    if (metadata === undefined || untold.has(metadata.op)) {
        return undefined;
    }
    return { op: metadata.op, ...resourceOf(metadata.urn), because: Object.keys(metadata.detailedDiff ?? {}).sort() };
}
