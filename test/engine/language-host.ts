import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type * as grpc from "@grpc/grpc-js";
import languageService from "@pulumi/pulumi/proto/language_grpc_pb";
import proto from "@pulumi/pulumi/proto/language_pb";
import plugin from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { serve, unary, type Served } from "../../local/engine/grpc";
import { projectDir } from "../../local/parts/paths";
import { processorTime } from "../../local/parts/processes";

/** The SDK's commands that run what people write. */
const sdkCommands = path.join(projectDir, "node_modules", "@pulumi", "pulumi", "cmd");

/** A program that the engine had run. */
export interface ProgramRun {
    readonly seconds: number;
    /** Most memory that the process held at a time, in megabytes (10^6 bytes). */
    readonly peakMegabytes: number;
    /** Processor time of the process, which a busy machine changes least; what it starts does not count. */
    readonly cpuSeconds: number;
}

/**
 * Stands in for `pulumi-language-nodejs`, which comes with Pulumi's packaged CLI alone. It starts programs and policy packs as that does:
 * `node`, with the project's `nodeargs`, on `@pulumi/pulumi/cmd/run`, and on `@pulumi/pulumi/cmd/run-policy-pack`; and it measures the programs.
 * https://github.com/pulumi/pulumi/tree/master/sdk/nodejs/cmd/pulumi-language-nodejs
 */
export class LanguageHost {
    /** The programs that have run, in order. */
    readonly runs: ProgramRun[] = [];
    /** Where programs keep what they have compiled. */
    tmpDir = tmpdir();
    #engine = "";
    #served: Served | undefined;

    private constructor(
        /** To put on the PATH: there the engine finds the host. */
        readonly binDir: string,
    ) {}

    static async start(dir: string): Promise<LanguageHost> {
        const host = new LanguageHost(path.join(dir, "bin"));
        const served = await serve(languageService.LanguageRuntimeService, host.#service());
        host.#served = served;
        mkdirSync(host.binDir, { recursive: true });
        // The engine starts the host and reads its port. This one runs already, so that no start of Node counts that the real one has not.
        const file = path.join(host.binDir, "pulumi-language-nodejs");
        writeFileSync(file, `#!/bin/sh\necho ${served.port}\nexec sleep 1000\n`);
        chmodSync(file, 0o755);
        return host;
    }

    stop(): void {
        this.#served?.stop();
    }

    #service(): grpc.UntypedServiceImplementation {
        return {
            handshake: unary((request: proto.LanguageHandshakeRequest) => {
                this.#engine = request.getEngineAddress();
                return new proto.LanguageHandshakeResponse();
            }),
            getPluginInfo: unary(() => new plugin.PluginInfo().setVersion("3.274.1")),
            getRequiredPackages: unary(() => new proto.GetRequiredPackagesResponse()),
            cancel: unary(() => new Empty()),
            run: unary((request: proto.RunRequest) => this.#run(request)),
            runPlugin: runPolicyPack,
        };
    }

    async #run(request: proto.RunRequest): Promise<proto.RunResponse> {
        const info = request.getInfo();
        const options = info?.getOptions()?.toJavaScript() as { readonly typescript?: boolean; readonly nodeargs?: string } | undefined;
        const args = [
            ...(options?.nodeargs?.split(" ") ?? []),
            path.join(sdkCommands, "run"),
            `--monitor=${request.getMonitorAddress()}`,
            `--engine=${this.#engine}`,
            `--project=${request.getProject()}`,
            `--root-directory=${info?.getRootDirectory() ?? ""}`,
            `--stack=${request.getStack()}`,
            `--pwd=${request.getPwd()}`,
            `--parallel=${request.getParallel()}`,
            ...(request.getDryrun() ? ["--dry-run"] : []),
            info?.getEntryPoint() ?? ".",
        ];
        const env = {
            ...process.env,
            PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().getEntryList())),
            PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
            TMPDIR: this.tmpDir,
            ...(options?.typescript === false ? {} : { PULUMI_NODEJS_TYPESCRIPT: "true" }),
        };
        const { exitCode, output, ...run } = await measured(args, request.getPwd(), env);
        this.runs.push(run);
        return exitCode === 0 ? new proto.RunResponse() : new proto.RunResponse().setError(`the program ended with ${exitCode}:\n${output}`);
    }
}

/** Runs a policy pack in its folder until the engine has no more use for it, and passes on what it writes: its port first. */
function runPolicyPack(call: grpc.ServerWritableStream<proto.RunPluginRequest, proto.RunPluginResponse>): void {
    const { request } = call;
    const folder = request.getInfo()?.getProgramDirectory() ?? "";
    const env = Object.fromEntries(request.getEnvList().map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]));
    const child = spawn(process.execPath, [path.join(sdkCommands, "run-policy-pack"), ...request.getArgsList(), folder], { cwd: folder, env });
    child.stdout.on("data", (chunk: Buffer) => call.write(new proto.RunPluginResponse().setStdout(chunk)));
    child.stderr.on("data", (chunk: Buffer) => call.write(new proto.RunPluginResponse().setStderr(chunk)));
    child.once("close", (exitCode) => {
        call.write(new proto.RunPluginResponse().setExitcode(exitCode ?? 1));
        call.end();
    });
    call.once("cancelled", () => child.kill());
}

interface Ended extends ProgramRun {
    readonly exitCode: number | null;
    readonly output: string;
}

function measured(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
    const started = performance.now();
    const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    // The kernel keeps both for as long as the process is there; only what it takes in its last moments is missed.
    let [peakMegabytes, cpuSeconds] = [0, 0];
    const watch = setInterval(() => {
        peakMegabytes = Math.max(peakMegabytes, peakOf(child.pid));
        cpuSeconds = Math.max(cpuSeconds, processorTime(child.pid));
    }, 20);
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (exitCode) => {
            clearInterval(watch);
            resolve({ seconds: (performance.now() - started) / 1000, peakMegabytes, cpuSeconds, exitCode, output });
        });
    });
}

/** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
function peakOf(pid: number | undefined): number {
    try {
        const [, kibibytes = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
        return (Number(kibibytes) * 1024) / 1e6;
    } catch {
        return 0;
    }
}
