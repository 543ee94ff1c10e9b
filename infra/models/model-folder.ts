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

const manifest = z.object({
    version: z.string().min(1).max(17),
    gate: z.object({ passed: z.boolean(), accepted: z.boolean(), reasons: z.array(z.string()) }),
});

/** The report is for people; what scores does not read it. */
const reportFolder = "report/";

/**
 * Reads the folder that training left.
 *
 * @param folder absolute, or from the project's folder
 * @throws ModelFolderError when there are no trained models in it, or ones that the gate of training refused and nobody accepted
 */
export function readModelFolder(folder: string): ModelFolder {
    const dir = path.resolve(projectDir, folder);
    const manifestFile = path.join(dir, "model.json");
    if (!existsSync(manifestFile)) {
        throw new ModelFolderError(`there are no trained models in ${folder} (player-predictions:modelFolder): run npm run train -- --data FILE`);
    }
    const parsed = manifest.safeParse(readJson(manifestFile));
    if (!parsed.success) {
        const { path: place, message } = parsed.error.issues[0] as z.core.$ZodIssue;
        throw new ModelFolderError(`${path.join(folder, "model.json")}: ${place.join(".")}: ${message}: run npm run train -- --data FILE`);
    }
    const { gate, version } = parsed.data;
    if (!gate.passed && !gate.accepted) {
        throw new ModelFolderError(
            `the models ${version} in ${folder} did not pass the gate of their training: ${gate.reasons.join("; ")}. ` +
                "Deploy others, or take these nevertheless: npm run train with the same data and --accept",
        );
    }
    const files = listFiles(dir).filter(({ name }) => !name.startsWith(reportFolder));
    return { files, contentVersion: filesVersion(files), modelVersion: version };
}

function readJson(file: string): unknown {
    try {
        return JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
        throw new ModelFolderError(`${file}: ${error instanceof Error ? error.message : String(error)}: run npm run train -- --data FILE`, { cause: error });
    }
}
