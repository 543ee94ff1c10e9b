import { ExponentialBackoff, handleWhen, retry } from "cockatiel";
import { hashPlayerFiles } from "../batches/folder";
import { type CommandJobs, CommandJobsError, hasFailed } from "../clients/command-jobs";
import { folderUri } from "../clients/lake-paths";
import type { Lake } from "../clients/lake";
import { containers } from "../contracts";
import { readCandidate } from "./candidate";
import { isRefused } from "./outcome";
import { trainingJob, type TrainingJob, type TrainingSettings } from "./training-job";

/** What the handler needs. */
export interface RetrainParts {
    readonly settings: TrainingSettings;
    readonly lake: Pick<Lake, "list" | "readText" | "containerUrl">;
    readonly jobs: CommandJobs;
    /** Takes one line of JSON an event. */
    readonly log: (line: string) => void;
}

/** Nothing can be trained; the message says what to do. */
export class RetrainError extends Error {
    override readonly name = "RetrainError";
    readonly retryable = false;
}

/**
 * What became of a run, and the job that it is about. `running`, `trained` and `refused`: there was one for the same players, code and
 * model in service already, and `refused` by the gate, which would say the same again.
 */
export interface Retraining {
    readonly outcome: "submitted" | "running" | "trained" | "refused";
    readonly job: string;
}

/** The next run is a week away, and a call that is repeated starts no second job. */
const retries = retry(
    handleWhen((error) => error instanceof CommandJobsError && error.retryable),
    { maxAttempts: 4, backoff: new ExponentialBackoff({ initialDelay: 1_000 }) },
);

/**
 * Starts a job that trains the models on the players of the training folder as they are now. However often it runs, one job is started for
 * the same players, code and model in service, and another one only after that one failed without a model.
 *
 * @throws RetrainError when there is nothing to train on, CommandJobsError, LakeError
 */
export async function retrain(parts: RetrainParts): Promise<Retraining> {
    const { settings, lake, log } = parts;
    const folder = settings.TRAINING_FOLDER;
    if (folder === "") {
        throw new RetrainError("there is nothing to train on: set player-predictions:trainingFolder, and bring the stack up");
    }
    const { batch: version, files } = await hashPlayerFiles(lake, folder);
    if (files === 0) {
        throw new RetrainError(`${containers.logs}/${folder} (player-predictions:trainingFolder) has no file of players, expected CSV or JSON Lines, gzipped or not`);
    }
    const training = trainingJob(settings, folderUri(lake.containerUrl(containers.logs), folder), version);
    const retraining = await retries.execute(() => startOnce(training, parts));
    log(JSON.stringify({ event: "retrain", folder, files, ...retraining }));
    return retraining;
}

async function startOnce(training: TrainingJob, { jobs, lake }: RetrainParts): Promise<Retraining> {
    for (let attempt = 1; ; attempt += 1) {
        const job = training.name(attempt);
        const found = await jobs.find(job);
        if (found === undefined) {
            await jobs.submit(job, training.submission(job));
            return { outcome: "submitted", job };
        }
        if (!hasFailed(found)) {
            return { outcome: found.status === "Completed" ? "trained" : "running", job };
        }
        if (isRefused(found, await readCandidate(lake, job))) {
            return { outcome: "refused", job };
        }
    }
}
