import { type CommandJob, type CommandJobs, hasFailed } from "../clients/command-jobs";
import type { Lake } from "../clients/lake";
import { containers } from "../contracts";
import { type Candidate, candidateFolder, readCandidate } from "./candidate";

/** What telling of a training needs. */
export interface TrainingOutcomeParts {
    readonly lake: Pick<Lake, "readText">;
    readonly jobs: Pick<CommandJobs, "find">;
    /** Takes one line of JSON: what went as it should. */
    readonly log: (line: string) => void;
    /** The same: what a person has to look at. */
    readonly error: (line: string) => void;
}

/** How a training ended; `refused`: the gate does not let its candidate pass. */
export type TrainingOutcome = "candidate" | "refused" | "failed" | "open";

/**
 * Logs how a training ended, and where its candidate and its log are: a failure as an error. Azure ML may tell several times; each time
 * the same is logged.
 *
 * @throws CommandJobsError, LakeError
 */
export async function tellOfTraining(job: string, { lake, jobs, log, error }: TrainingOutcomeParts): Promise<TrainingOutcome> {
    const found = await jobs.find(job);
    if (found === undefined || !(found.status === "Completed" || hasFailed(found))) {
        return "open";
    }
    const candidate = await readCandidate(lake, job);
    const outcome = isRefused(found, candidate) ? "refused" : hasFailed(found) || candidate === undefined ? "failed" : "candidate";
    const line = JSON.stringify({
        event: "retrain",
        step: "ended",
        job,
        outcome,
        status: found.status,
        folder: `${containers.models}/${candidateFolder(job)}`,
        ...(candidate && { model: candidate.version, reasons: candidate.reasons }),
    });
    (outcome === "candidate" ? log : error)(line);
    return outcome;
}

/** Whether it was the gate that a training failed by: training the same again would end the same. */
export function isRefused(job: CommandJob, candidate: Candidate | undefined): boolean {
    return hasFailed(job) && candidate?.passed === false;
}
