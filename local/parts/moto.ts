import { listens } from "./processes";
import { loopback, onFreePorts } from "./ports";
import { ensurePython } from "./python";
import type { Process, Workshop } from "./workshop";

/** S3 and STS. */
export interface MotoPart {
    /** `https://127.0.0.1:<port>`, `http://` without TLS, for every AWS service. S3 clients need path-style addressing. */
    readonly endpoint: string;
    readonly process: Process;
}

/**
 * Starts moto. It holds everything in memory, so buckets are to be made at each start; it takes any credentials, and issues some by
 * AssumeRoleWithWebIdentity without a look at the token.
 * @param options.tls without it, a connection is not made with a handshake: moto closes each after one answer. @default true
 * @see https://docs.getmoto.org/en/latest/docs/server_mode.html
 */
export async function startMoto(workshop: Workshop, { tls = true }: { readonly tls?: boolean } = {}): Promise<MotoPart> {
    const python = await ensurePython();
    const { certFile, keyFile } = workshop.certificate;
    const certificate = tls ? ["--ssl-cert", certFile, "--ssl-key", keyFile] : [];
    return onFreePorts(workshop, "moto", 1, async (ports) => {
        const [port] = ports as [number];
        const process = await workshop.spawn({
            name: "moto",
            command: python,
            args: ["-m", "moto.server", "--host", loopback, "--port", String(port), ...certificate],
            env: { PYTHONUNBUFFERED: "1" },
            ready: (pid) => Promise.resolve(listens(pid, port)),
        });
        return { endpoint: `${tls ? "https" : "http"}://${loopback}:${port}`, process };
    });
}
