import { createHash, type Hash } from "node:crypto";
import type { SourceChecksums } from "../clients/source-details";
import { type Crc64, combineCrc64, crc64, emptyCrc64, toS3Crc64 } from "../crc64";

/** What a copy was compared by before it got its name: the strongest that S3 has of the object. */
export type Verification = "crc64" | "md5" | "length";

/** What arrived is not what S3 has: nothing was written. */
export class ChecksumMismatchError extends Error {
    override readonly name = "ChecksumMismatchError";
    readonly retryable = true;

    constructor(key: string, kind: Verification, expected: string, arrived: string) {
        super(`object ${JSON.stringify(key)} arrived with ${kind} ${arrived}; S3 has ${expected}`);
    }
}

/** @throws ChecksumMismatchError */
export function verifyCrc64(key: string, expected: Crc64, arrived: Crc64): Verification {
    if (expected !== arrived) {
        throw new ChecksumMismatchError(key, "crc64", toS3Crc64(expected), toS3Crc64(arrived));
    }
    return "crc64";
}

/** Content on its way through this process, block by block. Its length is the reader's to check. */
export class PassingContent {
    #crc64 = emptyCrc64;
    /** Only where there is no CRC to compare: it costs more than all the rest. */
    readonly #md5: Hash | undefined;

    constructor(
        private readonly key: string,
        private readonly expected: SourceChecksums,
    ) {
        this.#md5 = expected.crc64 === undefined && expected.md5 !== undefined ? createHash("md5") : undefined;
    }

    /** Takes the next block. @returns its own CRC */
    async add(block: Buffer): Promise<Crc64> {
        this.#md5?.update(block);
        const own = await crc64(block);
        this.#crc64 = combineCrc64(this.#crc64, own, block.length);
        return own;
    }

    /** Once, after the last block. @throws ChecksumMismatchError */
    verify(): Verification {
        if (this.expected.crc64 !== undefined) {
            return verifyCrc64(this.key, this.expected.crc64, this.#crc64);
        }
        const expected = this.expected.md5?.toString("hex");
        const arrived = this.#md5?.digest("hex");
        if (expected !== undefined && arrived !== undefined && expected !== arrived) {
            throw new ChecksumMismatchError(this.key, "md5", expected, arrived);
        }
        return arrived === undefined ? "length" : "md5";
    }
}
