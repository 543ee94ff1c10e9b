import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import getPort from "get-port";
import { z } from "zod";
import { ProcessStartError, type Workshop } from "./workshop";

/** The address of every part: nothing listens beyond this machine. */
export const loopback = "127.0.0.1";

const attempts = 3;

/**
 * Starts a server on free ports: those that it had the last time where they are free, so that addresses stay the same from run
 * to run. A port may be taken between the look and the start; then it is tried with others.
 * @throws ProcessStartError of the last attempt
 */
export async function onFreePorts<T>(workshop: Workshop, name: string, count: number, start: (ports: readonly number[]) => Promise<T>): Promise<T> {
    const file = path.join(workshop.dir, "run", "ports", `${name}.json`);
    const earlier = readPorts(file, count);
    for (let attempt = 1; ; attempt += 1) {
        const ports = earlier !== undefined && attempt === 1 && (await allFree(earlier)) ? earlier : await freePorts(count);
        try {
            const started = await start(ports);
            mkdirSync(path.dirname(file), { recursive: true });
            writeFileSync(file, JSON.stringify(ports));
            return started;
        } catch (error) {
            if (attempt === attempts || !(error instanceof ProcessStartError) || (await allFree(ports))) {
                throw error;
            }
        }
    }
}

function freePorts(count: number): Promise<number[]> {
    return Promise.all(Array.from({ length: count }, () => getPort({ host: loopback })));
}

async function allFree(ports: readonly number[]): Promise<boolean> {
    const free = await Promise.all(ports.map(isFree));
    return free.every(Boolean);
}

async function isFree(port: number): Promise<boolean> {
    const server = net.createServer().listen(port, loopback);
    try {
        await once(server, "listening");
    } catch {
        return false;
    }
    server.close();
    await once(server, "close");
    return true;
}

function readPorts(file: string, count: number): number[] | undefined {
    try {
        return z.array(z.number().int().positive()).length(count).parse(JSON.parse(readFileSync(file, "utf8")));
    } catch {
        return undefined;
    }
}
