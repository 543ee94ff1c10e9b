import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Secrets of the local cloud, made at random when they are first asked for and kept in one file that only its owner can read. */
export class Secrets {
    readonly #file: string;

    constructor(dir: string) {
        mkdirSync(dir, { recursive: true });
        this.#file = path.join(dir, "secrets.json");
    }

    /** The secret of this name, base64 of 64 random bytes: the form of a storage account's key. */
    get(name: string): string {
        const values = existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, "utf8")) as Record<string, string>) : {};
        const known = values[name];
        if (known !== undefined) {
            return known;
        }
        const made = randomBytes(64).toString("base64");
        writeFileSync(this.#file, JSON.stringify({ ...values, [name]: made }, undefined, 2), { mode: 0o600 });
        return made;
    }

    /** A shorter form, 32 URL-safe characters, for passwords and function keys. */
    password(name: string): string {
        return this.get(name).replace(/[^A-Za-z0-9]/g, "").slice(0, 32);
    }
}
