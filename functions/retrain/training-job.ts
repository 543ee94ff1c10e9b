import { createHash } from "node:crypto";
import type { CommandJobSubmission } from "../clients/command-jobs";
import type { Settings } from "../settings";

/** What says where and with what a training runs. */
export type TrainingSettings = Pick<
    Settings,
    | "TRAINING_FOLDER"
    | "TRAINING_CODE"
    | "TRAINING_ENVIRONMENT"
    | "TRAINING_COMPUTE"
    | "TRAINING_IDENTITY"
    | "TRAINING_CURRENT_MODEL"
    | "TRAINING_CANDIDATES"
    | "TRAINING_SEARCH_SECONDS"
>;

/** For all of a training but the search: reading and fitting some million players on the smallest nodes, and a wait for a node. Seconds. */
const trainingSeconds = 4 * 3_600;

/** Exit code with which `train.py` says that the gate refused the model. */
const refusedCode = 3;

const jobName = /^retrain-[0-9a-f]{16}(?:-\d+)?$/;

/** Whether a job of the workspace is a training of this stack's. */
export function isTrainingJob(job: string): boolean {
    return jobName.test(job);
}

/** A job that trains on a version of the data, under the name of each attempt. */
export interface TrainingJob {
    /** @param attempt from 1 */
    name(attempt: number): string;
    submission(name: string): CommandJobSubmission;
}

/**
 * The training of these players with this code beside this model. The name follows from all that decides what comes of it, so that whoever
 * asks for the same again asks for the same job.
 *
 * @param players URL of the folder of players
 * @param version of the files in it
 */
export function trainingJob(settings: TrainingSettings, players: string, version: string): TrainingJob {
    const { TRAINING_CANDIDATES: candidates, TRAINING_SEARCH_SECONDS: searchSeconds } = settings;
    const job = {
        experiment: "retraining",
        description: "Trains the models again; a person decides on the candidate that it leaves.",
        command: trainingCommand(searchSeconds),
        codeId: settings.TRAINING_CODE,
        environmentId: settings.TRAINING_ENVIRONMENT,
        computeId: settings.TRAINING_COMPUTE,
        identityClientId: settings.TRAINING_IDENTITY,
        inputs: { players, current: settings.TRAINING_CURRENT_MODEL },
        timeoutSeconds: trainingSeconds + searchSeconds,
    };
    const hash = createHash("sha256").update(JSON.stringify([version, job])).digest("hex").slice(0, 16);
    return {
        name: (attempt) => `retrain-${hash}${attempt === 1 ? "" : `-${attempt}`}`,
        submission: (name) => ({ ...job, outputs: { candidate: `${candidates}/${name}` } }),
    };
}

/**
 * Trains beside a copy of the model in service, on the node's own disk: the training moves folders, which the mounted output does not
 * (https://github.com/microsoft/hi-ml/pull/258). Then what came of it is copied out: `model` with its report, also where the gate refused
 * it, and `training.log`. The job ends with the training's exit code, so that a refusal is a failed job.
 */
function trainingCommand(searchSeconds: number): string {
    const search = searchSeconds === 0 ? "" : ` --search ${searchSeconds}`;
    return [
        "set -e",
        'cp -r --no-preserve=mode "${{inputs.current}}" model',
        `{ code=0; python -u train.py --data "\${{inputs.players}}" --out model${search} || code=$?; echo $code > exit-code; } 2>&1 | tee training.log`,
        'cp training.log "${{outputs.candidate}}/training.log"',
        `case $(cat exit-code) in 0) cp -r model "\${{outputs.candidate}}/model" ;; ${refusedCode}) cp -r model.candidate "\${{outputs.candidate}}/model" ;; esac`,
        "exit $(cat exit-code)",
    ].join("; ");
}
