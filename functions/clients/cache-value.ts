import { isoTime } from "../iso-time";
import type { FingerprintedPrediction } from "../prediction";

/**
 * The value under `p:<playerId>`, big-endian:
 *
 *     offset  bytes
 *          0      1  shape of the value: 1
 *          1      3  churn probability, millionths
 *          4      3  purchase probability, millionths
 *          7      1  flags: bit 0 churn label, bit 1 purchase label
 *          8      1  segment id
 *          9      6  scored at, milliseconds since 1970
 *         15      4  fresh until, seconds since 1970
 *         19      8  fingerprint of the inputs
 *         27   1-17  model version, ASCII
 *
 * 44 bytes at most: up to there Redis keeps a string in one allocation with its header (64 bytes; OBJ_ENCODING_EMBSTR_SIZE_LIMIT
 * in https://github.com/redis/redis/blob/7.0/src/object.c). The segment's name is kept once a model version instead of here.
 */
export const valueShape = 1;
/** Where the six bytes of the time of scoring begin: the script that keeps the newest value reads them. */
export const scoredAtOffset = 9;

const offset = {
    churn: 1,
    purchase: 4,
    flags: 7,
    segment: 8,
    scoredAt: scoredAtOffset,
    freshUntil: 15,
    fingerprint: 19,
    version: 27,
} as const;
const millionths = 1_000_000;
const maxVersionLength = 17;
const churnFlag = 1;
const purchaseFlag = 2;

/** A stored value: a prediction but for the player's id, which is in the key, and the segment's name, which is kept a version. */
export interface StoredValue extends Omit<FingerprintedPrediction, "playerId" | "segment"> {
    readonly segmentId: number;
    readonly freshUntil: Date;
}

/** A prediction that does not fit the stored shape: made by a model that does not keep to the contract. */
export class UnstorablePredictionError extends Error {
    override readonly name = "UnstorablePredictionError";
    readonly retryable = false;

    constructor(field: string, value: unknown, expected: string) {
        super(`a prediction cannot be stored: ${field} is ${JSON.stringify(value)}, expected ${expected}`);
    }
}

/**
 * Writes the value of a prediction.
 *
 * @throws UnstorablePredictionError naming the field that does not fit.
 */
export function encodeValue(prediction: FingerprintedPrediction, freshUntil: Date): Buffer {
    const { modelVersion, inputsFingerprint, segment } = prediction;
    expectThat(/^[\x21-\x7e]{1,17}$/.test(modelVersion), "modelVersion", modelVersion, `1 to ${maxVersionLength} ASCII characters`);
    expectThat(/^[0-9a-f]{16}$/.test(inputsFingerprint), "inputsFingerprint", inputsFingerprint, "16 lower-case hexadecimal digits");
    expectThat(Number.isInteger(segment.id) && segment.id >= 0 && segment.id <= 255, "segment.id", segment.id, "an integer from 0 to 255");
    const scoredAt = Date.parse(prediction.scoredAt);
    expectThat(scoredAt >= 0, "scoredAt", prediction.scoredAt, "a time in ISO 8601, since 1970");

    const value = Buffer.allocUnsafe(offset.version + modelVersion.length);
    value.writeUInt8(valueShape, 0);
    value.writeUIntBE(toMillionths(prediction.churn.probability, "churn.probability"), offset.churn, 3);
    value.writeUIntBE(toMillionths(prediction.purchase.probability, "purchase.probability"), offset.purchase, 3);
    value.writeUInt8((prediction.churn.label ? churnFlag : 0) | (prediction.purchase.label ? purchaseFlag : 0), offset.flags);
    value.writeUInt8(segment.id, offset.segment);
    value.writeUIntBE(scoredAt, offset.scoredAt, 6);
    value.writeUInt32BE(Math.min(Math.floor(freshUntil.getTime() / 1000), 0xffff_ffff), offset.freshUntil);
    value.write(inputsFingerprint, offset.fingerprint, "hex");
    value.write(modelVersion, offset.version, "latin1");
    return value;
}

/** Reads a value; undefined for one of another shape, as an older or newer release may have left it: that is a miss, not an error. */
export function decodeValue(value: Buffer): StoredValue | undefined {
    if (value.length <= offset.version || value.length > offset.version + maxVersionLength || value[0] !== valueShape) {
        return undefined;
    }
    const churn = readUInt24BE(value, offset.churn);
    const purchase = readUInt24BE(value, offset.purchase);
    if (churn > millionths || purchase > millionths) {
        return undefined;
    }
    const flags = value[offset.flags] as number;
    return {
        churn: { label: (flags & churnFlag) !== 0, probability: churn / millionths },
        purchase: { label: (flags & purchaseFlag) !== 0, probability: purchase / millionths },
        segmentId: value[offset.segment] as number,
        modelVersion: versionOf(value),
        scoredAt: isoTime(value.readUInt16BE(offset.scoredAt) * 2 ** 32 + value.readUInt32BE(offset.scoredAt + 2)),
        inputsFingerprint: fingerprintOf(value),
        freshUntil: new Date(value.readUInt32BE(offset.freshUntil) * 1000),
    };
}

/** The model version that was read last, which is mostly that of the next value too. */
let lastVersion = "";

function versionOf(value: Buffer): string {
    if (value.length - offset.version !== lastVersion.length) {
        return (lastVersion = value.toString("latin1", offset.version));
    }
    for (let i = 0; i < lastVersion.length; i += 1) {
        if (value[offset.version + i] !== lastVersion.charCodeAt(i)) {
            return (lastVersion = value.toString("latin1", offset.version));
        }
    }
    return lastVersion;
}

const hexadecimal = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** `toString("hex")` leaves JavaScript for eight bytes, which takes twice as long. */
function fingerprintOf(value: Buffer): string {
    const digits = (i: number): string => hexadecimal[value[offset.fingerprint + i] as number] as string;
    return digits(0) + digits(1) + digits(2) + digits(3) + digits(4) + digits(5) + digits(6) + digits(7);
}

/** `readUIntBE` looks up what kind of number it reads each time, which a thousand values a request feel. */
function readUInt24BE(value: Buffer, at: number): number {
    return ((value[at] as number) << 16) | ((value[at + 1] as number) << 8) | (value[at + 2] as number);
}

function toMillionths(probability: number, field: string): number {
    expectThat(probability >= 0 && probability <= 1, field, probability, "a number from 0 to 1");
    return Math.round(probability * millionths);
}

function expectThat(holds: boolean, field: string, value: unknown, expected: string): void {
    if (!holds) {
        throw new UnstorablePredictionError(field, value, expected);
    }
}
