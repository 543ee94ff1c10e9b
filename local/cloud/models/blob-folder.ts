import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import type { ContainerClient } from "@azure/storage-blob";

/** A folder of a container: the blobs whose names start with the prefix, which has a slash at its end. */
export interface BlobFolder {
    readonly container: ContainerClient;
    readonly prefix: string;
}

/** Downloads all of it. @returns the files, in their order */
export async function download({ container, prefix }: BlobFolder, dir: string): Promise<string[]> {
    const files: string[] = [];
    for await (const { name } of container.listBlobsFlat({ prefix })) {
        const file = path.join(dir, name.slice(prefix.length));
        mkdirSync(path.dirname(file), { recursive: true });
        await container.getBlobClient(name).downloadToFile(file);
        files.push(file);
    }
    return files.sort();
}

/** Uploads what is in a folder and was not uploaded before. Names that start with a dot are files in the making. */
export async function upload({ container, prefix }: BlobFolder, dir: string, uploaded = new Set<string>()): Promise<void> {
    const files = readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
        .map((entry) => path.join(entry.parentPath, entry.name));
    for (const file of files.filter((each) => !uploaded.has(each))) {
        uploaded.add(file);
        const name = path.relative(dir, file).split(path.sep).join("/");
        await container.getBlockBlobClient(`${prefix}${name}`).uploadFile(file);
    }
}
