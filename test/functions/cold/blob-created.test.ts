import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageError, parseBlobCreated, plainEtag } from "../../../functions/events/blob-created";
import { eventOf } from "./events";

describe("a queue message", () => {
    test("is read as the blob that was written", () => {
        expect(parseBlobCreated(eventOf("logs", "players/dt=2026-01-31/_SUCCESS", "0x8DE123"))).toEqual({
            container: "logs",
            path: "players/dt=2026-01-31/_SUCCESS",
            etag: "0x8DE123",
        });
    });

    test("gives every name as it is, whatever its characters", () => {
        fc.assert(
            fc.property(
                fc.stringMatching(/^[a-z0-9-]{3,63}$/u),
                fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }).filter((path) => !path.includes("\uFFFD")),
                (container, path) => {
                    expect(parseBlobCreated(eventOf(container, path, "0x1"))).toEqual({ container, path, etag: "0x1" });
                },
            ),
        );
    });

    test("of anything else is refused, and says that repeating does not help", () => {
        fc.assert(
            fc.property(fc.anything({ withBigInt: false }), (message) => {
                const failure = failureOf(() => parseBlobCreated(message));
                expect(failure).toBeInstanceOf(MessageError);
                expect(failure).toMatchObject({ retryable: false });
            }),
        );
    });

    test.each([
        ["another event", { eventType: "Microsoft.Storage.BlobDeleted" }],
        ["a subject that is no blob", { subject: "/blobServices/default/containers/logs" }],
        ["a subject without a name", { subject: "/blobServices/default/containers/logs/blobs/" }],
        ["a name that Event Grid damaged", { subject: "/blobServices/default/containers/logs/blobs/a\uFFFD\uFFFD/_SUCCESS" }],
        ["a call after which the blob is not whole", { data: { api: "CreateFile", eTag: "0x1" } }],
        ["no ETag", { data: { api: "PutBlob", eTag: "" } }],
    ])("with %s is refused", (_name, change) => {
        expect(() => parseBlobCreated({ ...eventOf("logs", "a/_SUCCESS", "0x1"), ...change })).toThrow(MessageError);
    });
});

test("ETags lose their quotes and nothing else", () => {
    expect([`"0x1"`, "0x1", `W/"0x1"`, `"`].map(plainEtag)).toEqual(["0x1", "0x1", "0x1", `"`]);
});

function failureOf(run: () => unknown): unknown {
    try {
        run();
    } catch (error) {
        return error;
    }
    return undefined;
}
