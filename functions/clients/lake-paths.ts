import { successMarker } from "../contracts";

/** Folder of a path: all before its last slash, the empty string for a path without one. */
export function folderOf(path: string): string {
    return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Path of the marker that completes a folder. */
export function markerOf(folder: string): string {
    return folder === "" ? successMarker : `${folder}/${successMarker}`;
}

/** Whether a folder is none of players to score, as what starts with an underscore is no data to Hadoop, Hive and Spark: it is in one of that kind. */
export function isHidden(folder: string): boolean {
    return folder.split("/").some((segment) => segment.startsWith("_"));
}

/** URL of a folder. `=` stays as it is, so that a partition such as `dt=2026-01-31` keeps its name with readers that do not decode. */
export function folderUri(containerUrl: string, folder: string): string {
    const segments = folder.split("/").map((segment) => encodeURIComponent(segment).replaceAll("%3D", "="));
    return [containerUrl, ...segments].filter(Boolean).join("/");
}
