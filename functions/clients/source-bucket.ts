import type { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, paginateListObjectsV2, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { readAhead } from "../read-ahead";
import type { Settings } from "../settings";
import type { AwsCredentials } from "./aws-credentials";
import { readResumed } from "./source-body";
import { detailsOf, type SourceDetails } from "./source-details";
import { SourceBucketError, SourceObjectError } from "./source-errors";

/** One version of an object of the bucket. */
export interface SourceObject {
    readonly key: string;
    /** ETag as S3 gives it, with its quotes. */
    readonly etag: string;
    /** Bytes. */
    readonly size: number;
}

/** The content of an object, as it is stored: a `Content-Encoding` is kept, not undone. */
export interface SourceContent {
    readonly details: SourceDetails;
    /** Exactly the object's bytes; fails instead of ending early. To be read to its end or returned from. */
    readonly body: AsyncIterable<Buffer>;
}

/** The bucket of the player logs. */
export interface SourceBucket {
    readonly name: string;
    /** Prefix of everything that is listed. */
    readonly prefix: string;
    /** Every object under the prefix in the order of the keys' UTF-8 bytes, page by page; without the markers of empty folders. */
    list(signal?: AbortSignal): AsyncIterable<SourceObject>;
    /** The version that is there now. @throws SourceObjectError when there is none */
    find(key: string, signal?: AbortSignal): Promise<SourceObject>;
    /** What is kept beside the content. @throws SourceObjectError when this version was deleted or replaced */
    details(object: SourceObject, signal?: AbortSignal): Promise<SourceDetails>;
    /** Opens this version. A body that breaks off or stalls is taken up again where it was. @throws SourceObjectError */
    read(object: SourceObject, signal?: AbortSignal): Promise<SourceContent>;
    /**
     * A URL that gives the object to whoever has it, in its version of then. It is good for a quarter of an hour, but not longer than the credentials
     * that signed it, which have five minutes left at least: it is for one call, at once.
     */
    sign(key: string): Promise<string>;
    /** Fails when the bucket cannot be listed. */
    ping(): Promise<void>;
    close(): void;
}

type BucketSettings = Pick<Settings, "AWS_REGION" | "S3_ENDPOINT" | "SOURCE_BUCKET" | "SOURCE_PREFIX">;

/** For how long a body may give nothing before it counts as stalled: the SDK would wait for ever (aws-sdk-js-v3 #8098). Milliseconds. */
const defaultIdleMs = 30_000;
/** Seconds. */
const signedFor = 900;

/**
 * Connects to the bucket as the given role.
 *
 * @param idleMs how long a body may give nothing before it is asked for again
 */
export function createSourceBucket(settings: BucketSettings, credentials: AwsCredentials, idleMs = defaultIdleMs): SourceBucket {
    const { SOURCE_BUCKET: bucket, SOURCE_PREFIX: prefix } = settings;
    const client = new S3Client({
        region: settings.AWS_REGION,
        endpoint: settings.S3_ENDPOINT,
        credentials,
        requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
        // Content is checked once, here, and not by the client as well.
        responseChecksumValidation: "WHEN_REQUIRED",
    });

    function failure(action: string, error: unknown): Error {
        const retryable = !(error instanceof S3ServiceException && error.$fault === "client");
        return new SourceBucketError(`could not ${action} bucket ${bucket} at ${settings.S3_ENDPOINT}`, retryable, { cause: error });
    }

    /** Runs a call on one object. */
    async function onObject<T>(key: string, run: () => Promise<T>): Promise<T> {
        try {
            return await run();
        } catch (error) {
            const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
            if (status === 404 || status === 412) {
                throw new SourceObjectError(key, status === 404 ? "deleted" : "replaced", { cause: error });
            }
            throw failure(`read ${JSON.stringify(key)} of`, error);
        }
    }

    function head(key: string, etag: string | undefined, signal: AbortSignal | undefined) {
        const command = new HeadObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag, ChecksumMode: "ENABLED" });
        return onObject(key, () => client.send(command, { abortSignal: signal }));
    }

    return {
        name: bucket,
        prefix,

        async *list(signal) {
            try {
                const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }, { abortSignal: signal });
                for await (const page of readAhead(pages)) {
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

        async find(key, signal) {
            const { ETag: etag = "", ContentLength: size = 0 } = await head(key, undefined, signal);
            return { key, etag, size };
        },

        async details({ key, etag }, signal) {
            return detailsOf(await head(key, etag, signal));
        },

        async read({ key, etag, size }, signal) {
            const open = async (from: number) => {
                const range = from === 0 ? undefined : `bytes=${from}-`;
                const command = new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag, Range: range });
                askForChecksum(command);
                const answer = await onObject(key, () => client.send(command, { abortSignal: signal }));
                const body = answer.Body as Readable;
                // A link that drops before anybody reads would end the process; whoever reads gets the error all the same.
                body.on("error", () => undefined);
                return { answer, body };
            };
            const { answer, body: first } = await open(0);
            const body = readResumed({ key, size, idleMs, first, again: async (from) => (await open(from)).body, signal });
            return { details: detailsOf(answer), body };
        },

        async sign(key) {
            try {
                return await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: signedFor });
            } catch (error) {
                throw failure(`sign a URL for ${JSON.stringify(key)} of`, error);
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

/** Asks for the checksum by header alone: by the command's own option, the client would compute and compare it too. */
function askForChecksum(command: GetObjectCommand): void {
    command.middlewareStack.add(
        (next) => (args) => {
            (args.request as { headers: Record<string, string> }).headers["x-amz-checksum-mode"] = "ENABLED";
            return next(args);
        },
        { step: "build" },
    );
}
