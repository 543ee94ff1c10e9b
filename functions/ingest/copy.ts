import { SourceRefusedError } from "../clients/lake-errors";
import type { SourceObject } from "../clients/source-bucket";
import { SourceObjectError } from "../clients/source-errors";
import { copyByStream } from "./by-stream";
import { copyByUrl } from "./by-url";
import type { CopyParts, CopyTask } from "./copy-parts";
import type { ServerSide } from "./server-side";
import { ChecksumMismatchError, type Verification } from "./verification";

/** How an object came over. */
export interface Copied {
    /** The version that was copied in the end. */
    readonly object: SourceObject;
    /** `url`: by the service itself; `stream`: through this process. */
    readonly way: "url" | "stream";
    readonly verification: Verification;
}

/** So often the versions that replace one another are followed; then the next run is to find the last. */
const maxVersions = 3;

/**
 * Copies an object to the lake under the same key: one version of it, whole and verified, or nothing. Where the object was replaced after
 * it was listed, the version that is there then.
 *
 * @throws SourceObjectError when the object is gone, or replaced again and again
 * @throws ChecksumMismatchError, LakeError, SourceBucketError
 */
export async function copyObject(parts: CopyParts, serverSide: ServerSide, task: CopyTask): Promise<Copied> {
    let { object } = task;
    for (let version = 1; ; version += 1) {
        try {
            return await copyVersion(parts, serverSide, { ...task, object });
        } catch (error) {
            if (!(error instanceof SourceObjectError) || error.situation === "deleted" || version === maxVersions) {
                throw error;
            }
            object = await parts.source.find(object.key, parts.signal);
        }
    }
}

/** Server-side first; what the service does not take, or takes wrongly, goes through this process. */
async function copyVersion(parts: CopyParts, serverSide: ServerSide, task: CopyTask): Promise<Copied> {
    const { object } = task;
    let refusal: Error | undefined;
    if (serverSide.takes(object)) {
        try {
            parts.trace("copy-start", { key: object.key, bytes: object.size, way: "url" });
            const verification = await copyByUrl(parts, task);
            serverSide.worked();
            return { object, way: "url", verification };
        } catch (error) {
            // Of a source that was replaced meanwhile, either may be all that shows; read from here it says so itself.
            if (!(error instanceof SourceRefusedError || error instanceof ChecksumMismatchError)) {
                throw error;
            }
            refusal = error;
            serverSide.refused(object, error);
        }
    }
    parts.trace("copy-start", { key: object.key, bytes: object.size, way: "stream" });
    const verification = await copyByStream(parts, task);
    // What can be read from here was the service's to take: only that says something of the objects to come.
    if (refusal !== undefined) {
        serverSide.refusedReadable(refusal);
    }
    return { object, way: "stream", verification };
}
