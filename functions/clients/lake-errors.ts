/** The lake could not be asked, or refused. */
export class LakeError extends Error {
    override readonly name: string = "LakeError";
    /** Whether the same call may succeed later: not when the service refused it for good. */
    readonly retryable: boolean;

    /** @param status HTTP status of the answer, if there was one. */
    constructor(
        message: string,
        readonly status: number | undefined,
        options?: ErrorOptions,
    ) {
        super(status === undefined ? message : `${message}: status ${status}`, options);
        // A version that was overwritten (412) or is gone (404) is another one at the next try.
        this.retryable = status === undefined || status >= 500 || [404, 408, 412, 429].includes(status);
    }
}

/** A blob cannot have this name. */
export class BlobNameError extends LakeError {
    override readonly name = "BlobNameError";
    override readonly retryable = false;

    constructor(
        readonly path: string,
        reason: string,
    ) {
        super(`blob name ${JSON.stringify(path)} ${reason}; rename it at its source`, undefined);
    }
}

/** A blob is not the version that was to be replaced: somebody else wrote it meanwhile. Nothing was written. */
export class LakeConflictError extends LakeError {
    override readonly name = "LakeConflictError";
    override readonly retryable = true;
}

/** The service would not read from a URL. Nothing was written; the same bytes may be sent to it. */
export class SourceRefusedError extends LakeError {
    override readonly name = "SourceRefusedError";
    override readonly retryable = false;

    /** @param code the service's word for it, such as `CannotVerifyCopySource` */
    constructor(
        message: string,
        status: number | undefined,
        readonly code: string,
        options?: ErrorOptions,
    ) {
        super(`${message} (${code})`, status, options);
    }
}
