import { hash } from "node:crypto";
import { featureColumns, type Features } from "./features";

/**
 * Fingerprint of a player's inputs: the first 8 bytes of the SHA-256, as 16 hexadecimal digits, over the feature columns in the
 * order of `ml/features.json`:
 *
 *     number    0x6e, then the double, 8 bytes little-endian (-0 as 0)
 *     category  0x63, then the length in UTF-8 as uint32 little-endian, then the UTF-8 bytes
 *
 * `ml/records.py` computes the same, so that a prediction of a batch counts for a request with the same inputs.
 */
export function fingerprint(features: Features): string {
    const parts = featureColumns.map(({ name }) => {
        const value = features[name];
        return typeof value === "number" ? numberBytes(value) : categoryBytes(value ?? "");
    });
    return hash("sha256", Buffer.concat(parts), "hex").slice(0, 16);
}

function numberBytes(value: number): Buffer {
    const bytes = Buffer.allocUnsafe(9);
    bytes.writeUInt8(0x6e, 0);
    bytes.writeDoubleLE(value === 0 ? 0 : value, 1);
    return bytes;
}

function categoryBytes(value: string): Buffer {
    const text = Buffer.from(value, "utf8");
    const head = Buffer.allocUnsafe(5);
    head.writeUInt8(0x63, 0);
    head.writeUInt32LE(text.length, 1);
    return Buffer.concat([head, text]);
}
