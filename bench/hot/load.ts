import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Load, LoadReply, LoadResult } from "./load-protocol";

/** A load did not come out as a measurement must. */
export class LoadError extends Error {
    override readonly name = "LoadError";
}

/** Puts load on servers, from a process of its own. */
export class LoadGenerator {
    private constructor(private readonly child: ChildProcess) {}

    static start(): LoadGenerator {
        return new LoadGenerator(fork(path.join(__dirname, "load-process.ts")));
    }

    /** @throws LoadError when an answer was no 200, unless that is part of the load */
    async run(load: Load, { anyStatus = false } = {}): Promise<LoadResult> {
        this.child.send(load);
        const [reply] = (await once(this.child, "message")) as [LoadReply];
        if ("error" in reply) {
            throw new LoadError(`${load.url}${load.path}: ${reply.error}`);
        }
        const wrong = Object.keys(reply.result.statuses).filter((status) => status !== "200");
        if (!anyStatus && (wrong.length > 0 || !(reply.result.requestsPerSecond > 0))) {
            throw new LoadError(`${load.url}${load.path}: expected answers of 200, got ${JSON.stringify(reply.result.statuses)}`);
        }
        return reply.result;
    }

    stop(): void {
        this.child.disconnect();
    }
}
