import net from "node:net";
import { Duplex, Readable } from "node:stream";

/**
 * Counts what a process sends to and gets from the outside: each write to a socket and each piece that is read from one. Pipes and files
 * do not count. At a chosen count something happens at once, before the piece is sent or before anybody learns what came.
 */
let count = 0;
let planned: ReadonlyMap<number, () => void> = new Map();

function tick(): void {
    count += 1;
    planned.get(count)?.();
}

// Own methods in the place of the inherited ones. TLS sockets are sockets, so what is counted is the plain text.
const { write } = Duplex.prototype as { write: (...args: unknown[]) => boolean };
const { push } = Readable.prototype as { push: (...args: unknown[]) => boolean };
Object.assign(net.Socket.prototype, {
    write(this: net.Socket, ...args: unknown[]): boolean {
        tick();
        return Reflect.apply(write, this, args);
    },
    push(this: net.Socket, ...args: unknown[]): boolean {
        if (args[0] !== null) {
            tick();
        }
        return Reflect.apply(push, this, args);
    },
});

/** Counts from 0 again, with what is to happen at which count. */
export function countFromHere(plan: ReadonlyMap<number, () => void>): void {
    count = 0;
    planned = plan;
}

export function countedCalls(): number {
    return count;
}
