import { type BatchEndpoint, BatchEndpointError } from "../clients/batch-endpoint";
import type { Lake } from "../clients/lake";
import { folderOf, markerOf } from "../clients/lake-paths";
import { containers, successMarker } from "../contracts";
import { type BlobCreated, MessageError } from "../events/blob-created";
import { claimBatch, settleBatch } from "./batch-state";

/** What the handler needs. */
export interface ScoreParts {
    readonly lake: Lake;
    readonly endpoint: BatchEndpoint;
    readonly now: () => Date;
    /** Takes one line of JSON an event. */
    readonly log: (line: string) => void;
}

/** What became of an event: `outdated` when the marker it tells of is gone or was written again, so that another event follows. */
export type ScoreOutcome = "submitted" | "already-submitted" | "outdated";

/**
 * Starts the batch job of a folder that was completed. Repeated deliveries start one job; one that a killed delivery left between
 * taking the batch and submitting it is submitted by a later delivery.
 *
 * @throws MessageError for an event of another container or blob.
 * @throws BatchBusyError, BatchEndpointError or LakeError: the host delivers again, and at last moves the message to the poison queue.
 */
export async function scoreReadyFolder(event: BlobCreated, { lake, endpoint, now, log }: ScoreParts): Promise<ScoreOutcome> {
    const folder = folderOfMarker(event);
    const marker = await lake.find(containers.logs, event.path);
    if (marker?.etag !== event.etag) {
        log(JSON.stringify({ event: "score", folder, outcome: "outdated", marker: event.etag, current: marker?.etag ?? null }));
        return "outdated";
    }
    const claim = await claimBatch(lake, folder, marker.etag, now);
    if (claim === undefined) {
        log(JSON.stringify({ event: "score", folder, outcome: "already-submitted" }));
        return "already-submitted";
    }
    const { outputPath } = claim.state;
    try {
        const job = await endpoint.submit({ inputUri: folderUri(lake.containerUrl(containers.logs), folder), outputPath });
        const settled = await settleBatch(lake, claim, { status: "submitted", jobName: job.name }, now);
        log(JSON.stringify({ event: "score", folder, outcome: "submitted", batch: claim.key, job: job.name, outputPath, settled }));
        return "submitted";
    } catch (error) {
        // An answer says that there is no job, so the next delivery need not wait. Without one there may be: its claim stands.
        if (error instanceof BatchEndpointError && error.status !== undefined) {
            await settleBatch(lake, claim, { status: "refused", reason: error.message }, now);
        }
        throw error;
    }
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

/** URL of a folder. `=` stays as it is, so that a partition such as `dt=2026-01-31` keeps its name with readers that do not decode. */
export function folderUri(containerUrl: string, folder: string): string {
    const segments = folder.split("/").map((segment) => encodeURIComponent(segment).replaceAll("%3D", "="));
    return [containerUrl, ...segments].filter(Boolean).join("/");
}
