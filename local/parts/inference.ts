import path from "node:path";
import { listens } from "./processes";
import { loopback, onFreePorts } from "./ports";
import { ensurePython } from "./python";
import type { Process, Workshop } from "./workshop";

export interface InferenceOptions {
    /** Unique among the workshop's processes. */
    readonly name: string;
    /** Scoring script, relative to `codeDir`. */
    readonly entryScript: string;
    readonly codeDir: string;
    /** What the script finds as `AZUREML_MODEL_DIR`. */
    readonly modelDir: string;
    /** The deployment's environment variables, such as `WORKER_COUNT`, of which one is the default. */
    readonly env?: Readonly<Record<string, string>>;
}

export interface InferencePart {
    /** `http://127.0.0.1:<port>/score`: plain, as inside Azure ML, where the endpoint in front ends TLS and checks tokens. */
    readonly url: string;
    readonly process: Process;
}

/**
 * Starts the server that Azure ML runs a scoring script with, ready when the script's `init` has run.
 * @see https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http
 * @throws ProcessStartError with the script's traceback when `init` fails
 */
export async function startInferenceServer(workshop: Workshop, options: InferenceOptions): Promise<InferencePart> {
    const python = await ensurePython();
    return onFreePorts(workshop, options.name, 1, async (ports) => {
        const [port] = ports as [number];
        const process = await workshop.spawn({
            name: options.name,
            command: python,
            args: [
                path.join(__dirname, "inference_server.py"),
                ...["--entry_script", path.resolve(options.codeDir, options.entryScript)],
                ...["--model_dir", path.resolve(options.modelDir), "--port", String(port)],
            ],
            cwd: options.codeDir,
            env: { PYTHONUNBUFFERED: "1", AML_APP_ROOT: path.resolve(options.codeDir), ...options.env },
            ready: async (pid) => listens(pid, port) && (await fetch(`http://${loopback}:${port}/`)).ok,
        });
        return { url: `http://${loopback}:${port}/score`, process };
    });
}
