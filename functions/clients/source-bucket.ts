import type { Readable } from "node:stream";
import { GetObjectCommand, ListObjectsV2Command, paginateListObjectsV2, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import type { Settings } from "../settings";
import type { AwsCredentials } from "./aws-credentials";

/** An object of the bucket, as listed. */
export interface SourceObject {
    readonly key: string;
    /** ETag as S3 gives it, with its quotes. Of a multi-part upload it is no MD5. */
    readonly etag: string;
    /** Bytes. */
    readonly size: number;
}

/** The content of an object, as it is stored: a `Content-Encoding` is kept, not undone. */
export interface SourceContent {
    readonly body: Readable;
    readonly contentType: string | undefined;
    readonly contentEncoding: string | undefined;
    readonly contentLanguage: string | undefined;
    readonly contentDisposition: string | undefined;
    readonly cacheControl: string | undefined;
    /** User metadata (`x-amz-meta-*`). */
    readonly metadata: Readonly<Record<string, string>>;
}

/** The bucket of the player logs. */
export interface SourceBucket {
    /** Prefix of everything that is listed. */
    readonly prefix: string;
    /** Every object under the prefix in the order of the keys' UTF-8 bytes, page by page; without the markers of empty folders. */
    list(): AsyncIterable<SourceObject>;
    /**
     * Opens the object if it is still the one that was listed. The body must be read to its end or destroyed.
     *
     * @throws SourceObjectError when it was deleted or replaced since.
     */
    read(key: string, etag: string): Promise<SourceContent>;
    /** Fails when the bucket cannot be listed. */
    ping(): Promise<void>;
    close(): void;
}

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

/** The object is not the one that was listed: the next listing shows what became of it. */
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

type BucketSettings = Pick<Settings, "AWS_REGION" | "S3_ENDPOINT" | "SOURCE_BUCKET" | "SOURCE_PREFIX">;

/** Connects to the bucket as the given role. */
export function createSourceBucket(settings: BucketSettings, credentials: AwsCredentials): SourceBucket {
    const { SOURCE_BUCKET: bucket, SOURCE_PREFIX: prefix } = settings;
    const client = new S3Client({
        region: settings.AWS_REGION,
        endpoint: settings.S3_ENDPOINT,
        credentials,
        requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
    });

    function failure(action: string, error: unknown): Error {
        const retryable = !(error instanceof S3ServiceException && error.$fault === "client");
        return new SourceBucketError(`could not ${action} bucket ${bucket} at ${settings.S3_ENDPOINT}`, retryable, { cause: error });
    }

    return {
        prefix,

        async *list() {
            try {
                for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
                    for (const { Key: key, ETag: etag, Size: size = 0 } of page.Contents ?? []) {
                        if (key === undefined || etag === undefined || (key.endsWith("/") && size === 0)) {
                            continue;
                        }
                        yield { key, etag, size };
                    }
                }
            } catch (error) {
                throw failure(`list ${JSON.stringify(prefix)} of`, error);
            }
        },

        async read(key, etag) {
            try {
                const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag }));
                const body = got.Body as Readable;
                // A link that drops before anybody reads would end the process; whoever reads gets the error all the same.
                body.on("error", () => undefined);
                return {
                    body,
                    contentType: got.ContentType,
                    contentEncoding: got.ContentEncoding,
                    contentLanguage: got.ContentLanguage,
                    contentDisposition: got.ContentDisposition,
                    cacheControl: got.CacheControl,
                    metadata: got.Metadata ?? {},
                };
            } catch (error) {
                const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
                if (status === 404 || status === 412) {
                    throw new SourceObjectError(key, status === 404 ? "deleted" : "replaced", { cause: error });
                }
                throw failure(`read ${JSON.stringify(key)} of`, error);
            }
        },

        async ping() {
            try {
                // Not HeadBucket: the role may list the prefix only.
                await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 }));
            } catch (error) {
                throw failure("list", error);
            }
        },

        close() {
            client.destroy();
        },
    };
}
