import { unzipSync } from "fflate";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { buildPackage } from "../../infra/handlers/package";

/** Builds the package that the stack deploys and unpacks it into the folder. @returns sizes in bytes: of the zip, and of each file */
export async function unpackHandlers(dir: string): Promise<{ readonly zip: number; readonly files: Readonly<Record<string, number>> }> {
    const { zip } = await buildPackage();
    const files = unzipSync(zip);
    for (const [name, content] of Object.entries(files)) {
        const file = path.join(dir, name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, content);
    }
    return { zip: zip.byteLength, files: Object.fromEntries(Object.entries(files).map(([name, content]) => [name, content.byteLength])) };
}
