import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { type Crc64, fromS3Crc64 } from "../crc64";

/** What S3 says of an object's content without sending it. */
export interface SourceChecksums {
    /** The CRC-64/NVME of the whole object. */
    readonly crc64: Crc64 | undefined;
    /** The MD5 of the whole object. */
    readonly md5: Buffer | undefined;
}

/** What S3 keeps beside an object's content. */
export interface SourceDetails {
    readonly contentType: string | undefined;
    readonly contentEncoding: string | undefined;
    readonly contentLanguage: string | undefined;
    readonly contentDisposition: string | undefined;
    readonly cacheControl: string | undefined;
    /** User metadata (`x-amz-meta-*`). */
    readonly metadata: Readonly<Record<string, string>>;
    readonly checksums: SourceChecksums;
}

/** Of the answer to a GET, or of one to a HEAD. */
type Answer = Pick<
    HeadObjectCommandOutput,
    | "ContentType"
    | "ContentEncoding"
    | "ContentLanguage"
    | "ContentDisposition"
    | "CacheControl"
    | "Metadata"
    | "ETag"
    | "ChecksumCRC64NVME"
    | "ChecksumType"
    | "ServerSideEncryption"
    | "SSECustomerAlgorithm"
>;

export function detailsOf(answer: Answer): SourceDetails {
    return {
        contentType: answer.ContentType,
        contentEncoding: answer.ContentEncoding,
        contentLanguage: answer.ContentLanguage,
        contentDisposition: answer.ContentDisposition,
        cacheControl: answer.CacheControl,
        metadata: answer.Metadata ?? {},
        checksums: { crc64: crc64Of(answer), md5: md5Of(answer) },
    };
}

/** Of the two kinds of checksum, one is of the parts' checksums: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
function crc64Of({ ChecksumCRC64NVME: text, ChecksumType: type }: Answer): Crc64 | undefined {
    return text === undefined || (type !== undefined && type !== "FULL_OBJECT") ? undefined : fromS3Crc64(text);
}

/**
 * The ETag is the MD5 of what was put at once, in the clear or under keys of S3's own; of a multi-part upload it has a hyphen
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html).
 */
function md5Of({ ETag: etag = "", ServerSideEncryption: encryption = "AES256", SSECustomerAlgorithm: ownKey }: Answer): Buffer | undefined {
    const hex = /^"([0-9a-f]{32})"$/u.exec(etag)?.[1];
    return hex === undefined || encryption !== "AES256" || ownKey !== undefined ? undefined : Buffer.from(hex, "hex");
}
