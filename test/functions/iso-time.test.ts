import fc from "fast-check";
import { expect, test } from "vitest";
import { isoTime } from "../../functions/iso-time";

test("a time is written as Date writes it, in whatever order times come", () => {
    const latest = 2 ** 48 - 1;
    fc.assert(
        fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: latest }), fc.constantFrom(0, 86_399_999, 86_400_000, latest))), (times) => {
            expect(times.map(isoTime)).toEqual(times.map((time) => new Date(time).toISOString()));
        }),
    );
});
