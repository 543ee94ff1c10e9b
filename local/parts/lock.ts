import { createHash } from "node:crypto";
import { once } from "node:events";
import net from "node:net";

/** Held until it is released or its process is gone. */
export interface Lock {
    release(): Promise<void>;
}

/** How long a holder that is there may take to tell its process id. */
const answerMs = 2_000;

/**
 * Takes a lock among the processes of this machine, or returns undefined when another has it.
 *
 * The lock is a listening socket in Linux's abstract namespace (https://man7.org/linux/man-pages/man7/unix.7.html): the kernel
 * lets one process have it and takes it back however that process ends, so there are no stale locks to tell from live ones.
 */
export async function tryLock(name: string): Promise<Lock | undefined> {
    const callers = new Set<net.Socket>();
    const server = net.createServer((socket) => {
        callers.add(socket);
        socket.unref();
        socket.on("error", () => socket.destroy());
        socket.on("close", () => callers.delete(socket));
        socket.write(String(process.pid));
    });
    server.listen(address(name));
    try {
        await once(server, "listening");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") {
            return undefined;
        }
        throw error;
    }
    server.unref();
    return {
        release: async () => {
            const closed = once(server, "close");
            server.close();
            callers.forEach((socket) => socket.destroy());
            await closed;
        },
    };
}

/** Takes the lock, after its holder where it has one. @param onWait is told the holder's process id when it is waited for */
export async function lock(name: string, onWait: (pid: number) => void = () => undefined): Promise<Lock> {
    for (;;) {
        const taken = await tryLock(name);
        if (taken !== undefined) {
            return taken;
        }
        const socket = net.connect(address(name));
        const ended = new Promise<void>((resolve) => socket.on("error", () => resolve()).on("close", () => resolve()));
        const holder = await firstAnswer(socket);
        if (holder !== undefined) {
            onWait(holder);
        }
        socket.resume();
        await ended;
    }
}

/** Process id of the lock's holder; undefined when there is none, or none that answers. */
export async function lockHolder(name: string): Promise<number | undefined> {
    const socket = net.connect(address(name));
    socket.on("error", () => socket.destroy());
    try {
        return await firstAnswer(socket);
    } finally {
        socket.destroy();
    }
}

async function firstAnswer(socket: net.Socket): Promise<number | undefined> {
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, AbortSignal.timeout(answerMs)]);
    try {
        // The holder may be gone between the call and its answer.
        const [data] = (await Promise.race([once(socket, "data", { signal }), once(socket, "close", { signal })])) as [unknown];
        return Buffer.isBuffer(data) ? Number(data.toString()) : undefined;
    } catch {
        return undefined;
    } finally {
        done.abort();
    }
}

function address(name: string): string {
    return `\0player-predictions-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}
