import { createHash } from "node:crypto";
import type { Lake } from "../clients/lake";
import { markerOf } from "../clients/lake-paths";
import { containers } from "../contracts";

/** A file that a job scores. */
export interface FolderFile {
    /** Without its folders. */
    readonly name: string;
    /** Bytes. */
    readonly size: number;
}

/** A complete folder as it is now. */
export interface FolderContent {
    /** Name of the batch: of the folder with these files in these versions. */
    readonly batch: string;
    readonly files: number;
    /** ETag of the marker. */
    readonly marker: string;
}

/**
 * What a folder of `logs` holds, by the names and ETags of the files that a job scores.
 *
 * @param visit is given each of these files.
 * @returns undefined while the folder is not complete: its marker is not there.
 */
export async function readFolder(
    lake: Pick<Lake, "list" | "find">,
    folder: string,
    visit: (file: FolderFile) => void = () => undefined,
): Promise<FolderContent | undefined> {
    const marker = await lake.find(containers.logs, markerOf(folder));
    if (marker === undefined) {
        return undefined;
    }
    return { ...(await hashPlayerFiles(lake, folder, visit)), marker: marker.etag };
}

/**
 * The files of players of a folder of `logs`: a hash of their names and ETags, and how many they are.
 *
 * @param visit is given each of these files.
 */
export async function hashPlayerFiles(
    lake: Pick<Lake, "list">,
    folder: string,
    visit: (file: FolderFile) => void = () => undefined,
): Promise<Pick<FolderContent, "batch" | "files">> {
    const hash = createHash("sha256").update(folder);
    let files = 0;
    for await (const { path, etag, size } of lake.list(containers.logs, folder === "" ? "" : `${folder}/`)) {
        const name = path.slice(path.lastIndexOf("/") + 1);
        // As `is_data_file` of ml/files.py has it: neither markers, hidden files nor empty ones.
        if (size > 0 && !/^[_.]/.test(name)) {
            hash.update(`\n${path}\n${etag}`);
            files += 1;
            visit({ name, size });
        }
    }
    return { batch: hash.digest("hex").slice(0, 16), files };
}
