import { describe, expect, it } from "vitest";
import { detailsOf } from "../../../functions/clients/source-details";
import { toS3Crc64 } from "../../../functions/crc64";

const md5 = "900150983cd24fb0d6963f7d28e17f72";
const crc = toS3Crc64(0x1234_5678_9abc_def0n);
const none = { crc64: undefined, md5: undefined };

describe("the checksums that S3 tells of an object", () => {
    it.each([
        ["put at once", { ETag: `"${md5}"` }, { ...none, md5: Buffer.from(md5, "hex") }],
        ["put at once, under a key of S3's own", { ETag: `"${md5}"`, ServerSideEncryption: "AES256" as const }, { ...none, md5: Buffer.from(md5, "hex") }],
        ["under a KMS key: the ETag is no MD5", { ETag: `"${md5}"`, ServerSideEncryption: "aws:kms" as const }, none],
        ["under two layers of KMS keys", { ETag: `"${md5}"`, ServerSideEncryption: "aws:kms:dsse" as const }, none],
        ["under a key of the customer's", { ETag: `"${md5}"`, SSECustomerAlgorithm: "AES256" }, none],
        ["of several parts", { ETag: `"${md5}-2"` }, none],
        ["with a CRC of the whole", { ETag: `"${md5}-2"`, ChecksumCRC64NVME: crc, ChecksumType: "FULL_OBJECT" as const }, { ...none, crc64: 0x1234_5678_9abc_def0n }],
        ["with a CRC whose kind is not told, as before there were two", { ETag: "", ChecksumCRC64NVME: crc }, { ...none, crc64: 0x1234_5678_9abc_def0n }],
        ["with a CRC of its parts' CRCs", { ETag: `"${md5}-2"`, ChecksumCRC64NVME: crc, ChecksumType: "COMPOSITE" as const }, none],
        ["without an ETag", {}, none],
    ])("%s", (_of, answer, checksums) => {
        expect(detailsOf(answer).checksums).toEqual(checksums);
    });
});
