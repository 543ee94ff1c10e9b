import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { combineCrc64, crc64, emptyCrc64, fromAzureCrc64, fromS3Crc64, toAzureCrc64, toS3Crc64 } from "../../../functions/crc64";

describe("CRC-64/NVME", () => {
    const check = Buffer.from("123456789");

    test("is the one of the catalogue, as S3 and as Azure write it", async () => {
        expect(await crc64(check)).toBe(0xae8b_1486_0a79_9888n);
        expect(toS3Crc64(await crc64(check))).toBe("rosUhgp5mIg=");
        expect(Buffer.from(toAzureCrc64(await crc64(check))).toString("base64")).toBe("iJh5CoYUi64=");
        expect(fromS3Crc64("rosUhgp5mIg=")).toBe(await crc64(check));
        expect(fromAzureCrc64(Buffer.from("iJh5CoYUi64=", "base64"))).toBe(await crc64(check));
        expect(await crc64(Buffer.alloc(0))).toBe(emptyCrc64);
    });

    test("of large content does not depend on the pieces that it is computed in", async () => {
        const content = Buffer.alloc(3 * 1024 * 1024 + 17, "log of a player;");
        const cuts = [0, 1, 1024 * 1024, 1024 * 1024 + 1, content.length];
        for (const cut of cuts) {
            const second = content.subarray(cut);
            expect(combineCrc64(await crc64(content.subarray(0, cut)), await crc64(second), second.length)).toBe(await crc64(content));
        }
    });

    test("is combined of those of any parts", async () => {
        await fc.assert(
            fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), async (parts) => {
                let combined = emptyCrc64;
                for (const part of parts) {
                    combined = combineCrc64(combined, await crc64(part), part.length);
                }
                expect(combined).toBe(await crc64(Buffer.concat(parts)));
            }),
            { numRuns: 200 },
        );
    });

    test.each(["", "AAAA"])("refuses %j as one of S3", (text) => {
        expect(() => fromS3Crc64(text)).toThrow(RangeError);
    });
});
