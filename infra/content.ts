import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** The project's folder. */
export const projectDir = path.resolve(__dirname, "..");

/**
 * For resources whose names follow from what they are: another name is made before the old one goes. The provider would delete first,
 * as it does with whatever the program names itself
 * (`deleteBeforeReplace` in https://github.com/pulumi/pulumi-azure-native/blob/master/provider/pkg/provider/provider.go).
 */
export const besideTheOld = { deleteBeforeReplace: false } as const;

/** A file of a folder. */
export interface ContentFile {
    /** Path in the folder, with forward slashes. */
    readonly name: string;
    /** Path on this machine. */
    readonly file: string;
}

/** The files below a folder in the order of their names, without hidden ones. */
export function listFiles(dir: string): ContentFile[] {
    return readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name))
        .map((file) => ({ name: path.relative(dir, file).split(path.sep).join("/"), file }))
        .filter(({ name }) => !name.split("/").some((segment) => segment.startsWith(".") || segment === "__pycache__"))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Version of some files by their names and bytes: 12 hexadecimal digits. */
export function filesVersion(files: readonly ContentFile[]): string {
    return contentVersion(...files.flatMap(({ name, file }) => [name, readFileSync(file)]));
}

/** Version of some contents in their order: 12 hexadecimal digits. Each goes in with its length, so that none runs into the next. */
export function contentVersion(...contents: readonly (string | Uint8Array)[]): string {
    const hash = createHash("sha256");
    for (const content of contents) {
        const bytes = Buffer.from(content);
        hash.update(`${bytes.length}:`).update(bytes);
    }
    return hash.digest("hex").slice(0, 12);
}
