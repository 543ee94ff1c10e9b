import type { Lake, LakeBlob } from "../clients/lake";
import type { BlobDraft } from "../clients/lake-draft";
import { LakeConflictError } from "../clients/lake-errors";
import type { SourceBucket, SourceObject } from "../clients/source-bucket";
import { containers } from "../contracts";
import { isCopyOf } from "./compare";
import type { Limits } from "./limits";

/** What copying needs. */
export interface CopyParts {
    readonly source: SourceBucket;
    readonly lake: Lake;
    readonly limits: Limits;
    readonly signal: AbortSignal;
    /** Takes a step of one object's copy. */
    readonly trace: (step: CopyStep, fields: Readonly<Record<string, unknown>>) => void;
}

/** In this order: the copy begins, its content is on the other side, it is the source's, it has its name. */
export type CopyStep = "copy-start" | "staged" | "verified" | "committed";

/** One object's copy. */
export interface CopyTask {
    readonly object: SourceObject;
    /** The blob that is there and gets replaced. */
    readonly replaces: LakeBlob | undefined;
    /** Runs once the content is verified, and before anything changes under a name in the lake. */
    readonly beforeWrite: () => Promise<void>;
}

/** The blob that the object is to become. */
export function draftOf({ lake, signal }: CopyParts, { object, replaces }: CopyTask): BlobDraft {
    return lake.draft(containers.logs, object.key, { replaces: replaces?.etag, signal });
}

/** Gives a verified copy its name. @param write the call that does */
export async function giveName({ lake, signal, trace }: CopyParts, { object, beforeWrite }: CopyTask, write: () => Promise<void>): Promise<void> {
    await beforeWrite();
    try {
        await write();
    } catch (error) {
        // A write whose answer got lost is repeated by the client and finds a blob that it did not expect: its own.
        const blob = error instanceof LakeConflictError ? await lake.find(containers.logs, object.key, signal) : undefined;
        if (blob === undefined || !isCopyOf(blob, object)) {
            throw error;
        }
    }
    trace("committed", { key: object.key });
}
