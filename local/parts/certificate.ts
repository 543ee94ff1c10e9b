import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { generate } from "selfsigned";
import { lock } from "./lock";
import { sharedDir } from "./paths";

/** A certificate for localhost and 127.0.0.1 that is its own CA, in PEM. */
export interface Certificate {
    readonly certFile: string;
    readonly keyFile: string;
    readonly cert: string;
    readonly key: string;
}

const day = 24 * 60 * 60 * 1000;
const validDays = 10 * 365;
const renewDays = 30;

/**
 * The certificate of all parts of the project. Made when there is none, and again when it is near its end. Processes trust it
 * by `NODE_EXTRA_CA_CERTS=<certFile>`, which Node reads at its start alone, so it has to be there before they are.
 */
export async function loadCertificate(dir = path.join(sharedDir, "certificate"), now: () => Date = () => new Date()): Promise<Certificate> {
    const present = readCertificate(dir, now());
    if (present !== undefined) {
        return present;
    }
    mkdirSync(dir, { recursive: true });
    const held = await lock(`certificate ${dir}`);
    try {
        return readCertificate(dir, now()) ?? (await makeCertificate(dir, now()));
    } finally {
        await held.release();
    }
}

/** The certificate in the folder, or undefined when it is not whole or not for long. */
function readCertificate(dir: string, now: Date): Certificate | undefined {
    const [certFile, keyFile] = [path.join(dir, "cert.pem"), path.join(dir, "key.pem")];
    try {
        const [cert, key] = [readFileSync(certFile, "utf8"), readFileSync(keyFile, "utf8")];
        const parsed = new X509Certificate(cert);
        const good = parsed.checkPrivateKey(createPrivateKey(key)) && parsed.validToDate.getTime() - now.getTime() > renewDays * day;
        return good ? { certFile, keyFile, cert, key } : undefined;
    } catch {
        return undefined;
    }
}

async function makeCertificate(dir: string, now: Date): Promise<Certificate> {
    const made = await generate([{ name: "commonName", value: "localhost" }], {
        keyType: "ec",
        algorithm: "sha256",
        // A day back, for clocks that are not quite together.
        notBeforeDate: new Date(now.getTime() - day),
        notAfterDate: new Date(now.getTime() + validDays * day),
        extensions: [
            { name: "basicConstraints", cA: true, critical: true },
            { name: "keyUsage", digitalSignature: true, keyCertSign: true, critical: true },
            { name: "extKeyUsage", serverAuth: true },
            {
                name: "subjectAltName",
                altNames: [
                    { type: 2, value: "localhost" },
                    { type: 7, ip: "127.0.0.1" },
                ],
            },
        ],
    });
    const [certFile, keyFile] = [path.join(dir, "cert.pem"), path.join(dir, "key.pem")];
    replaceFile(keyFile, made.private, 0o600);
    replaceFile(certFile, made.cert, 0o644);
    return { certFile, keyFile, cert: made.cert, key: made.private };
}

function replaceFile(file: string, content: string, mode: number): void {
    writeFileSync(`${file}.new`, content, { mode });
    renameSync(`${file}.new`, file);
}
