import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { contentVersion, filesVersion, projectDir, type ContentFile } from "../content";

/** Scripts that Azure ML runs: online and batch. */
export const scoringScripts = { online: "score.py", batch: "batch_score.py" } as const;

/** What a retraining runs. */
export const trainingScript = "train.py";

/** https://learn.microsoft.com/azure/machine-learning/concept-prebuilt-docker-images-inference */
export const onlineImage = "mcr.microsoft.com/azureml/minimal-py312-inference:latest";

/** Of batch jobs and of trainings: https://learn.microsoft.com/azure/machine-learning/how-to-use-batch-model-deployments#create-a-batch-deployment */
export const batchImage = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest";

const mlDir = path.join(projectDir, "ml");

/** A part of `ml/` that Azure ML runs. */
export interface MlCode {
    readonly files: readonly ContentFile[];
    readonly version: string;
}

/** Image and packages that it runs in. */
export interface MlEnvironment {
    readonly image: string;
    /** Conda specification, YAML. */
    readonly condaFile: string;
    readonly version: string;
}

/** The scoring scripts with the modules beside them that they import, and the player record: a change to the training deploys nothing. */
export function readScoringCode(dir = mlDir): MlCode {
    return readCode(dir, Object.values(scoringScripts), ["features.json"]);
}

/** The training script, likewise: a change to the scoring alone changes no training. */
export function readTrainingCode(dir = mlDir): MlCode {
    return readCode(dir, [trainingScript], ["features.json", "promotions.json"]);
}

function readCode(dir: string, scripts: readonly string[], data: readonly string[]): MlCode {
    const names = new Set<string>(scripts);
    for (const name of names) {
        for (const imported of importedModules(readFileSync(path.join(dir, name), "utf8"))) {
            if (existsSync(path.join(dir, imported))) {
                names.add(imported);
            }
        }
    }
    const files = [...names, ...data].sort().map((name) => ({ name, file: path.join(dir, name) }));
    return { files, version: filesVersion(files) };
}

export function readMlEnvironment(image: string, condaFileName: string): MlEnvironment {
    const condaFile = readFileSync(path.join(mlDir, condaFileName), "utf8");
    return { image, condaFile, version: contentVersion(image, condaFile) };
}

/** File names of the modules that a Python source imports, one a statement, wherever in the source. */
function importedModules(source: string): string[] {
    return [...source.matchAll(/^[ \t]*(?:from|import)[ \t]+(?<module>\w+)/gm)].map(({ groups }) => `${groups?.module}.py`);
}
