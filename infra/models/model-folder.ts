import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { filesVersion, listFiles, projectDir, type ContentFile } from "../content";

/** A folder of trained models. */
export interface ModelFolder {
    readonly files: readonly ContentFile[];
    /** Version by the files' bytes, 12 hexadecimal digits: under it the models are registered. */
    readonly contentVersion: string;
    /** Version that the models give themselves, in `model.json`: under it their predictions are known. */
    readonly modelVersion: string;
}

/** The model folder is missing or is none. */
export class ModelFolderError extends Error {
    override readonly name = "ModelFolderError";
}

const manifest = z.object({ version: z.string().min(1).max(17) });

/**
 * Reads the folder that training left.
 *
 * @param folder absolute, or from the project's folder
 * @throws ModelFolderError when there are no trained models in it
 */
export function readModelFolder(folder: string): ModelFolder {
    const dir = path.resolve(projectDir, folder);
    const manifestFile = path.join(dir, "model.json");
    if (!existsSync(manifestFile)) {
        throw new ModelFolderError(`there are no trained models in ${folder} (player-predictions:modelFolder): run npm run train -- --data FILE`);
    }
    const parsed = manifest.safeParse(JSON.parse(readFileSync(manifestFile, "utf8")));
    if (!parsed.success) {
        throw new ModelFolderError(`${path.join(folder, "model.json")} has no version of 1 to 17 characters: run npm run train -- --data FILE`);
    }
    const files = listFiles(dir);
    return { files, contentVersion: filesVersion(files), modelVersion: parsed.data.version };
}
