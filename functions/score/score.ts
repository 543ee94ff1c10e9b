import { readFolder } from "../batches/folder";
import { giveUp, maxRefusals, queueFolder, retryDelaySeconds } from "../batches/retries";
import { changeBatch, readBatch, type StoredBatch, submittedAs, writeBatch } from "../batches/state";
import { type BatchEndpoint, BatchEndpointError } from "../clients/batch-endpoint";
import type { Lake } from "../clients/lake";
import { folderOf, folderUri, isHidden, markerOf } from "../clients/lake-paths";
import type { Queues } from "../clients/queues";
import { containers, successMarker } from "../contracts";
import { type BlobCreated, MessageError } from "../events/blob-created";
import { BatchBusyError, claimMs, nextClaim } from "./claim";

/** What the handler needs. */
export interface ScoreParts {
    readonly lake: Lake;
    readonly queues: Queues;
    readonly endpoint: BatchEndpoint;
    readonly now: () => Date;
    /** Takes one line of JSON an event. */
    readonly log: (line: string) => void;
}

/**
 * What became of an event. `outdated`: the folder is not complete now, another event follows. `empty`: it has no file to score. `hidden`:
 * it is not to be scored. `refused`: the endpoint took no job; the message comes again later. `poisoned`: given up, now or before,
 * as is a folder that has another complete one below it.
 */
export type ScoreOutcome = "submitted" | "already-submitted" | "outdated" | "empty" | "hidden" | "refused" | "poisoned";

/**
 * Starts the batch job of a folder that is complete. However often it is told of the same content, one job is started, but where a kill
 * fell between the endpoint's answer and its being written down: the endpoint takes no name for a job from its caller
 * (https://github.com/Azure/azure-sdk-for-python/issues/32763), so a later delivery starts another one, which writes elsewhere.
 *
 * @param replayed the attempt that a message tells of which was put back from the poison queue
 * @throws MessageError for an event of another container or blob.
 * @throws BatchBusyError or LakeError: the host delivers again, and at last moves the message to the poison queue.
 */
export async function scoreReadyFolder(event: BlobCreated, parts: ScoreParts, replayed?: number): Promise<ScoreOutcome> {
    const folder = folderOfMarker(event);
    const outcome = isHidden(folder) ? "hidden" : await score(folder, replayed, parts);
    parts.log(JSON.stringify({ event: "score", folder, outcome }));
    return outcome;
}

async function score(folder: string, replayed: number | undefined, parts: ScoreParts): Promise<ScoreOutcome> {
    const { lake, endpoint, now } = parts;
    const step = (name: string, more: object) => parts.log(JSON.stringify({ event: "score", step: name, folder, ...more }));

    const content = await readFolder(lake, folder);
    if (content === undefined || content.files === 0) {
        return content === undefined ? "outdated" : "empty";
    }
    const stored = await readBatch(lake, content.batch);
    const next = nextClaim(stored?.state, folder, content, replayed, now());
    if (typeof next === "string") {
        return next;
    }
    const claim = await writeBatch(lake, next, stored);
    if (claim === undefined) {
        throw new BatchBusyError(`batch ${content.batch} of folder ${JSON.stringify(folder)} was taken by another delivery`);
    }
    const { batch, attempt, outputPath } = claim.state;
    step("claimed", { batch, attempt, outputPath });
    if (content.nested !== undefined) {
        await giveUp(parts, claim, { reason: nestedReason(folder, content.nested) });
        return "poisoned";
    }
    try {
        const job = await endpoint.submit({ inputUri: folderUri(lake.containerUrl(containers.logs), folder), outputPath });
        step("submitted", { batch, attempt, job: job.name });
        const settled = await changeBatch(parts, claim, submittedAs(job));
        step("settled", { batch, attempt, job: job.name, written: settled !== undefined });
        return "submitted";
    } catch (error) {
        if (error instanceof BatchEndpointError) {
            return refused(claim, error, parts);
        }
        throw error;
    }
}

/** Tries again later, but for the last time. Without an answer there may be a job: the claim stands then until it may have told of itself. */
async function refused(claim: StoredBatch, error: BatchEndpointError, parts: ScoreParts): Promise<ScoreOutcome> {
    const refusals = claim.state.refusals + 1;
    const change = { refusals, reason: error.message };
    if (refusals >= maxRefusals) {
        await giveUp(parts, claim, change);
        return "poisoned";
    }
    const answered = error.status !== undefined;
    const changed = await changeBatch(parts, claim, { ...change, status: answered ? "refused" : "submitting" });
    if (changed) {
        await queueFolder(parts, changed.state, Math.max(retryDelaySeconds(refusals), answered ? 0 : claimMs / 1_000));
    }
    return "refused";
}

/** Why a folder with another one in it is not scored: what was made from the other's old logs would take the place of today's. */
function nestedReason(folder: string, nested: string): string {
    return (
        `folder ${JSON.stringify(folder)} has files of its own and the complete folder ${JSON.stringify(nested)} below it, which would be scored again: ` +
        `move its own files into a folder beside, or take the marker below it away`
    );
}

function folderOfMarker({ container, path }: BlobCreated): string {
    const folder = folderOf(path);
    if (container !== containers.logs || path !== markerOf(folder)) {
        throw new MessageError(
            `expected the ${successMarker} of a folder of ${containers.logs}, got ${container}/${path}; check the event subscription`,
        );
    }
    return folder;
}
