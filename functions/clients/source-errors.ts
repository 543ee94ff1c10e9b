/** S3 could not be asked, or refused. */
export class SourceBucketError extends Error {
    override readonly name: string = "SourceBucketError";

    /** @param retryable whether the same call may succeed later. */
    constructor(
        message: string,
        readonly retryable: boolean,
        options?: ErrorOptions,
    ) {
        super(message, options);
    }
}

/** The object is not the one that was listed. */
export class SourceObjectError extends SourceBucketError {
    override readonly name = "SourceObjectError";

    constructor(
        readonly key: string,
        readonly situation: "deleted" | "replaced",
        options?: ErrorOptions,
    ) {
        super(`object ${JSON.stringify(key)} was ${situation} after it was listed`, true, options);
    }
}

/** The body of an object broke off or stalled again and again. */
export class SourceBodyError extends SourceBucketError {
    override readonly name = "SourceBodyError";

    constructor(key: string, arrived: number, size: number, options?: ErrorOptions) {
        super(`the body of object ${JSON.stringify(key)} ended after ${arrived} of ${size} bytes`, true, options);
    }
}
