import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { loopback, onFreePorts } from "../../local/parts/ports";
import { listens } from "../../local/parts/processes";
import { ProcessStartError } from "../../local/parts/workshop";
import { temporaryWorkshop } from "./temporary";

async function occupy(port: number): Promise<number> {
    const server = net.createServer().listen(port, loopback);
    onTestFinished(() => void server.close());
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
}

test("gives the same ports again while they are free, others when not", async () => {
    const workshop = await temporaryWorkshop();
    const first = await onFreePorts(workshop, "part", 2, (ports) => Promise.resolve(ports));
    expect(await onFreePorts(workshop, "part", 2, (ports) => Promise.resolve(ports))).toEqual(first);
    await occupy(first[0] as number);
    expect(await onFreePorts(workshop, "part", 2, (ports) => Promise.resolve(ports))).not.toEqual(first);
});

test("tries others when a port was taken before the server had it", async () => {
    const workshop = await temporaryWorkshop();
    const tried: number[] = [];
    const port = await onFreePorts(workshop, "part", 1, async ([candidate]) => {
        tried.push(candidate as number);
        if (tried.length === 1) {
            await occupy(candidate as number);
            throw new ProcessStartError("address already in use");
        }
        return candidate;
    });
    expect(tried).toHaveLength(2);
    expect(port).toBe(tried[1]);
});

test("fails at once with the server's error when the port is not the cause", async () => {
    const workshop = await temporaryWorkshop();
    let tried = 0;
    const start = onFreePorts(workshop, "part", 1, () => {
        tried += 1;
        return Promise.reject(new ProcessStartError("bad configuration"));
    });
    await expect(start).rejects.toThrow("bad configuration");
    expect(tried).toBe(1);
});

test("knows whose port it is", async () => {
    const port = await occupy(0);
    expect(listens(process.pid, port)).toBe(true);
    expect(listens(process.ppid, port)).toBe(false);
});
