import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { loadCertificate } from "../../local/parts/certificate";
import { temporaryDir } from "./temporary";

const year = 365 * 24 * 60 * 60 * 1000;

test("is its own CA for localhost and 127.0.0.1", async () => {
    const certificate = await loadCertificate(temporaryDir());
    const server = tls.createServer({ cert: certificate.cert, key: certificate.key }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for (const host of ["localhost", "127.0.0.1"]) {
        const socket = tls.connect({ host: "127.0.0.1", port, ca: certificate.cert, ...(host === "localhost" ? { servername: host } : {}) });
        await once(socket, "secureConnect");
        expect(socket.authorized).toBe(true);
        socket.destroy();
    }
    const stranger = tls.connect({ host: "127.0.0.1", port });
    await expect(once(stranger, "secureConnect")).rejects.toThrow(/self-signed/);
});

test("is made once, however many ask at the same time, with a key that others cannot read", async () => {
    const dir = temporaryDir();
    const made = await Promise.all(Array.from({ length: 5 }, () => loadCertificate(dir)));
    expect(new Set(made.map(({ cert }) => cert)).size).toBe(1);
    expect(statSync(made[0]?.keyFile ?? "").mode & 0o777).toBe(0o600);
    expect((await loadCertificate(dir)).cert).toBe(made[0]?.cert);
});

test("is made anew near its end, and when its key is another's", async () => {
    const [dir, other] = [temporaryDir(), temporaryDir()];
    const first = await loadCertificate(dir);
    const inNineYears = await loadCertificate(dir, () => new Date(Date.now() + 9 * year));
    expect(inNineYears.cert).toBe(first.cert);
    const inTenYears = await loadCertificate(dir, () => new Date(Date.now() + 10 * year));
    expect(inTenYears.cert).not.toBe(first.cert);
    expect(new X509Certificate(inTenYears.cert).validToDate.getTime()).toBeGreaterThan(Date.now() + 19 * year);

    writeFileSync(inTenYears.keyFile, readFileSync((await loadCertificate(other)).keyFile));
    expect((await loadCertificate(dir)).cert).not.toBe(inTenYears.cert);
});
