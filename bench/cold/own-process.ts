import { build } from "esbuild";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import path from "node:path";
import { heapArguments, type InstanceMemory } from "../../local/host/instance-memory";
import { type ColdParts, clientId } from "../../test/functions/cold/parts";

/**
 * A file of this folder as a process of its own, bundled as the handlers are and with the heap of an instance, so that its memory is theirs. It
 * takes one order at a time.
 */
export class OwnProcess<Order extends object, Reply extends object> {
    private constructor(
        private readonly name: string,
        private readonly child: ChildProcess,
    ) {}

    /**
     * @param memory of the instance, in MB: on the smallest V8 collects so often that JavaScript takes a third more time
     * @param env what it needs beside the identity and the certificate; nothing else of this process's environment reaches it
     */
    static async start<Order extends object, Reply extends object>(
        { workshop: { dir, certificate }, identity }: ColdParts,
        name: string,
        memory: InstanceMemory,
        env: Readonly<Record<string, string>>,
    ): Promise<OwnProcess<Order, Reply>> {
        const outfile = path.join(dir, `${name}.js`);
        rmSync(outfile, { force: true });
        const entry = path.join(__dirname, `${name}.ts`);
        await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", target: "node24", format: "cjs", logLevel: "silent" });
        const { endpoint, header } = identity;
        const shared = { NODE_EXTRA_CA_CERTS: certificate.certFile, IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header, CLIENT_ID: clientId };
        return new OwnProcess(name, fork(outfile, { execArgv: heapArguments(memory), env: { ...shared, ...env } }));
    }

    /** @throws Error with what the process said when it could not do it */
    async ask(order: Order): Promise<Reply> {
        this.child.send(order);
        const [reply] = (await once(this.child, "message")) as [Reply | { readonly error: string }];
        if ("error" in reply) {
            throw new Error(`${this.name} failed: ${reply.error}`);
        }
        return reply;
    }

    stop(): void {
        this.child.disconnect();
    }
}
