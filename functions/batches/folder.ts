import { createHash } from "node:crypto";
import type { Lake } from "../clients/lake";
import { folderOf, markerOf } from "../clients/lake-paths";
import { containers, successMarker } from "../contracts";

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
    /** A folder below it that is complete by itself, if there is one: a job of this folder would score that one's files again. */
    readonly nested: string | undefined;
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
 * The files of players of a folder of `logs`: a hash of their names and ETags, how many they are, and whether some are another folder's.
 *
 * @param visit is given each of these files.
 */
export async function hashPlayerFiles(
    lake: Pick<Lake, "list">,
    folder: string,
    visit: (file: FolderFile) => void = () => undefined,
): Promise<Omit<FolderContent, "marker">> {
    const hash = createHash("sha256").update(folder);
    let files = 0;
    let nested: string | undefined;
    for await (const { path, etag, size } of lake.list(containers.logs, folder === "" ? "" : `${folder}/`)) {
        const name = path.slice(path.lastIndexOf("/") + 1);
        // As `is_data_file` of ml/files.py has it: neither markers, hidden files nor empty ones.
        if (size > 0 && !/^[_.]/.test(name)) {
            hash.update(`\n${path}\n${etag}`);
            files += 1;
            visit({ name, size });
        } else if (name === successMarker && folderOf(path) !== folder) {
            nested ??= folderOf(path);
        }
    }
    return { batch: hash.digest("hex").slice(0, 16), files, nested };
}
