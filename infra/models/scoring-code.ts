import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { contentVersion, filesVersion, projectDir, type ContentFile } from "../content";

/** Scripts that Azure ML runs: online and batch. */
export const scoringScripts = { online: "score.py", batch: "batch_score.py" } as const;

/** https://learn.microsoft.com/azure/machine-learning/concept-prebuilt-docker-images-inference */
export const onlineImage = "mcr.microsoft.com/azureml/minimal-py312-inference:latest";

/** https://learn.microsoft.com/azure/machine-learning/how-to-use-batch-model-deployments#create-a-batch-deployment */
export const batchImage = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest";

/** What Azure ML runs of `ml/`. */
export interface ScoringCode {
    readonly files: readonly ContentFile[];
    readonly version: string;
}

/** Image and packages of a deployment. */
export interface ScoringEnvironment {
    readonly image: string;
    /** Conda specification, YAML. */
    readonly condaFile: string;
    readonly version: string;
}

/** The scoring scripts with the modules beside them that they import, and the player record: a change to the training deploys nothing. */
export function readScoringCode(dir = path.join(projectDir, "ml")): ScoringCode {
    const names = new Set<string>(Object.values(scoringScripts));
    for (const name of names) {
        for (const imported of importedModules(readFileSync(path.join(dir, name), "utf8"))) {
            if (existsSync(path.join(dir, imported))) {
                names.add(imported);
            }
        }
    }
    const files = [...names, "features.json"].sort().map((name) => ({ name, file: path.join(dir, name) }));
    return { files, version: filesVersion(files) };
}

export function readScoringEnvironment(image: string, condaFileName: string): ScoringEnvironment {
    const condaFile = readFileSync(path.join(projectDir, "ml", condaFileName), "utf8");
    return { image, condaFile, version: contentVersion(image, condaFile) };
}

/** File names of the modules that a Python source imports, one a statement, wherever in the source. */
function importedModules(source: string): string[] {
    return [...source.matchAll(/^[ \t]*(?:from|import)[ \t]+(?<module>\w+)/gm)].map(({ groups }) => `${groups?.module}.py`);
}
