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

/** A stream was longer or shorter than it should be: nothing was written. */
export class SizeMismatchError extends LakeError {
    override readonly name = "SizeMismatchError";

    constructor(
        readonly expected: number,
        readonly arrived: number,
    ) {
        super(`expected ${expected} bytes, ${arrived > expected ? "more" : `only ${arrived}`} arrived`, undefined);
    }
}
