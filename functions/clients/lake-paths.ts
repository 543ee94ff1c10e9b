import { successMarker } from "../contracts";

/** Folder of a path: all before its last slash, the empty string for a path without one. */
export function folderOf(path: string): string {
    return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Path of the marker that completes a folder. */
export function markerOf(folder: string): string {
    return folder === "" ? successMarker : `${folder}/${successMarker}`;
}
