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
    const file = portsFile(workshop, name);
    const earlier = readPorts(file, count);
    for (let attempt = 1; ; attempt += 1) {
        const ports = earlier !== undefined && attempt === 1 && (await allFree(earlier)) ? earlier : await freePorts(count);
        try {
            const started = await start(ports);
            keepPorts(file, ports);
            return started;
        } catch (error) {
            if (attempt === attempts || !(error instanceof ProcessStartError) || (await allFree(ports))) {
                throw error;
            }
        }
    }
}

/**
 * The port that something had the last time where it is free, else the preferred one where that is, else another. For servers that
 * bind it themselves.
 */
export async function keptPort(workshop: Workshop, name: string, preferred?: number): Promise<number> {
    const file = portsFile(workshop, name);
    const [earlier] = readPorts(file, 1) ?? [];
    const port = earlier !== undefined && (await isFree(earlier)) ? earlier : await getPort({ host: loopback, port: preferred });
    keepPorts(file, [port]);
    return port;
}

/** Lets a server of this process listen, on the port that it had the last time where that is free. @returns the port */
export async function listenOnKeptPort(workshop: Workshop, name: string, server: net.Server): Promise<number> {
    const file = portsFile(workshop, name);
    const [earlier] = readPorts(file, 1) ?? [];
    if (earlier === undefined || !(await listens(server, earlier))) {
        await listens(server, 0);
    }
    const { port } = server.address() as net.AddressInfo;
    keepPorts(file, [port]);
    return port;
}

/** False when the port is taken. */
async function listens(server: net.Server, port: number): Promise<boolean> {
    try {
        server.listen(port, loopback);
        await once(server, "listening");
        return true;
    } catch (error) {
        if (port === 0 || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") {
            throw error;
        }
        return false;
    }
}

function portsFile({ dir }: Workshop, name: string): string {
    return path.join(dir, "run", "ports", `${name}.json`);
}

function keepPorts(file: string, ports: readonly number[]): void {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(ports));
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
