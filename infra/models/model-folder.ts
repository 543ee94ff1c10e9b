import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
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
export class ModelFolderError extends pulumi.RunError {
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

/** The models that are deployed, each once. */
export interface DeployedModels {
    /** It scores the batches, and answers whoever the challenger does not. */
    readonly live: ModelFolder;
    readonly challenger: ModelFolder | undefined;
    /** These two and the others that are kept. */
    readonly all: readonly ModelFolder[];
}

/**
 * Reads the folders of the models that are deployed. One that several settings name is deployed once.
 *
 * @throws ModelFolderError for a folder without models, and where different models give themselves one version
 */
export function readDeployedModels(folders: { readonly live: string; readonly challenger: string | undefined; readonly kept: readonly string[] }): DeployedModels {
    const live = readModelFolder(folders.live);
    const challenger = folders.challenger === undefined ? undefined : readModelFolder(folders.challenger);
    const models = new Map<string, ModelFolder>();
    for (const model of [live, ...(challenger ? [challenger] : []), ...folders.kept.map(readModelFolder)]) {
        const same = models.get(model.modelVersion);
        if (same !== undefined && same.contentVersion !== model.contentVersion) {
            throw new ModelFolderError(`two folders of different models have version ${model.modelVersion} in their model.json: train one of them again`);
        }
        models.set(model.modelVersion, same ?? model);
    }
    if (challenger?.modelVersion === live.modelVersion) {
        throw new ModelFolderError(`the models in ${String(folders.challenger)} (player-predictions:challengerFolder) are those of player-predictions:modelFolder: a challenger is another one, or none`);
    }
    return { live, challenger, all: [...models.values()] };
}
