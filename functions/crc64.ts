import { StorageCRC64Calculator } from "@azure/storage-common";

/**
 * A CRC-64/NVME. S3 (`x-amz-checksum-crc64nvme`) and Azure Storage (`x-ms-content-crc64`) compute the same one; S3 writes its bytes from
 * the highest, Azure from the lowest.
 * - https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 * - https://learn.microsoft.com/rest/api/storageservices/put-block
 */
export type Crc64 = bigint;

/** The CRC of no bytes. */
export const emptyCrc64: Crc64 = 0n;

/** What goes to the calculator at a time: it copies its input into memory of its own, which does not shrink. Bytes. */
const pieceBytes = 1024 * 1024;

/** The CRC of some bytes. */
export async function crc64(content: Uint8Array): Promise<Crc64> {
    await StorageCRC64Calculator.init();
    const calculator = new StorageCRC64Calculator();
    const last = Math.max(0, content.length - pieceBytes);
    for (let offset = 0; offset < last; offset += pieceBytes) {
        const piece = content.subarray(offset, Math.min(offset + pieceBytes, last));
        calculator.append(piece, piece.length);
    }
    const end = content.subarray(last);
    return fromAzureCrc64(calculator.final(end, end.length));
}

/** The generator polynomial, its lowest power in the highest bit. */
const polynomial = 0x9a6c_9329_ac4b_c9b5n;
/** The polynomial 1 in that order of bits. */
const one = 1n << 63n;

/**
 * The CRC of two byte strings one after the other, from theirs alone.
 *
 * @param secondBytes length of the second
 */
export function combineCrc64(first: Crc64, second: Crc64, secondBytes: number): Crc64 {
    return first === emptyCrc64 ? second : multiply(powerOfX(BigInt(secondBytes) * 8n), first) ^ second;
}

/** The product of two polynomials modulo the generator. */
function multiply(a: bigint, b: bigint): bigint {
    let product = 0n;
    let shifted = b;
    for (let bit = one; bit > 0n; bit >>= 1n) {
        if ((a & bit) !== 0n) {
            product ^= shifted;
        }
        shifted = (shifted & 1n) === 0n ? shifted >> 1n : (shifted >> 1n) ^ polynomial;
    }
    return product;
}

/** `x` to the nth power modulo the generator. */
function powerOfX(n: bigint): bigint {
    let power = one;
    let square = one >> 1n;
    for (let rest = n; rest > 0n; rest >>= 1n) {
        if ((rest & 1n) === 1n) {
            power = multiply(power, square);
        }
        square = multiply(square, square);
    }
    return power;
}

/** As Azure Storage takes it: eight bytes from the lowest. */
export function toAzureCrc64(crc: Crc64): Uint8Array {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(crc);
    return bytes;
}

/** @throws RangeError when these are not eight bytes */
export function fromAzureCrc64(bytes: Uint8Array): Crc64 {
    return Buffer.from(bytes).readBigUInt64LE();
}

/** From the text of S3's header. @throws RangeError when it is not the base64 of eight bytes */
export function fromS3Crc64(text: string): Crc64 {
    return Buffer.from(text, "base64").readBigUInt64BE();
}

/** As S3 writes it. */
export function toS3Crc64(crc: Crc64): string {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(crc);
    return bytes.toString("base64");
}
