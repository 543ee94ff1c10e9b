import { HttpRequest } from "@azure/functions";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HttpProblem } from "../../../functions/predict/problem";
import { limits, parseRequest, readRequest } from "../../../functions/predict/request";

function problemOf(body: unknown): HttpProblem {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    try {
        parseRequest(Buffer.from(text));
    } catch (error) {
        if (error instanceof HttpProblem) {
            return error;
        }
        throw error;
    }
    throw new Error("the request was taken");
}

function post(body: string | Buffer, headers: Record<string, string> = { "content-type": "application/json" }): HttpRequest {
    return new HttpRequest({
        method: "POST",
        url: "http://localhost/api/predictions",
        headers,
        body: typeof body === "string" ? { string: body } : { bytes: body },
    });
}

const players = (count: number) => Array.from({ length: count }, (_, i) => ({ playerId: String(i) }));

describe("the body of a prediction request", () => {
    test("is taken with its defaults", () => {
        const request = parseRequest(Buffer.from('{"players":[{"playerId":"2","features":{"age":1}},{"playerId":"3"}]}'));
        expect(request).toEqual({ players: [{ playerId: "2", features: { age: 1 } }, { playerId: "3" }], match: "player" });
    });

    test("leaves features to the check of each player", () => {
        expect(parseRequest(Buffer.from('{"players":[{"playerId":"2","features":"none"}]}')).players[0]?.features).toBe("none");
    });

    test.each([
        [{}, "players", "is missing"],
        [[], "", "the body is a list"],
        [{ players: [] }, "players", ">=1"],
        [{ players: players(limits.players + 1) }, "players", "<=1000"],
        [{ players: [{ playerId: "1" }, { playerId: 2 }] }, "players[1].playerId", "is 2: Invalid input: expected string"],
        [{ players: [{ playerId: "" }] }, "players[0].playerId", 'is ""'],
        [{ players: [{ playerId: "x".repeat(65) }] }, "players[0].playerId", "<=64"],
        [{ players: [{ playerId: "1", feature: {} }] }, "players[0]", '"feature"'],
        [{ players: players(1), maxAgeSeconds: -1 }, "maxAgeSeconds", "is -1"],
        [{ players: players(1), maxAgeSeconds: 1.5 }, "maxAgeSeconds", "is 1.5"],
        [{ players: players(1), match: "name" }, "match", '"player"|"inputs"'],
        [{ players: players(1), maxAge: 1 }, "", '"maxAge"'],
        ['{"players":[{"playerId":"\\ud800"}]}', "players[0].playerId", "surrogate"],
    ])("that is wrong is refused by its field: %j", (body, field, message) => {
        const problem = problemOf(body);
        expect(problem.status).toBe(400);
        expect(problem.more.field ?? "").toBe(field);
        expect(problem.message).toContain(message);
    });

    test.each([
        ['{"players":[,]}', "position 12"],
        ["hello", "position 0"],
        ['{"players":', "position 11"],
        ["", "position 0"],
        ['{"players":[{"playerId":"1","features":{"age":NaN}}]}', "position 46"],
        ["[".repeat(100_000), "JSON"],
    ])("that is not JSON is refused with the position: %.40s", (body, position) => {
        const problem = problemOf(body);
        expect(problem.status).toBe(400);
        expect(problem.kind).toBe("invalid-json");
        expect(problem.message).toContain(position);
    });

    test("never fails otherwise, whatever the bytes", () => {
        const inputs = fc.oneof(
            fc.uint8Array(),
            fc.json().map((json) => Buffer.from(json)),
            fc.anything().map((value) => Buffer.from(JSON.stringify({ players: value }) ?? "")),
        );
        fc.assert(
            fc.property(inputs, (bytes) => {
                try {
                    parseRequest(bytes);
                } catch (error) {
                    expect(error).toBeInstanceOf(HttpProblem);
                }
            }),
        );
    });
});

describe("a prediction request over HTTP", () => {
    test("needs the content type of JSON", async () => {
        const body = '{"players":[{"playerId":"2"}]}';
        await expect(readRequest(post(body, { "content-type": "Application/JSON; charset=utf-8" }), 1_000)).resolves.toHaveProperty("players");
        await expect(readRequest(post(body, { "content-type": "text/plain" }), 1_000)).rejects.toMatchObject({ status: 415 });
        await expect(readRequest(post(Buffer.from(body), {}), 1_000)).rejects.toMatchObject({ status: 415 });
    });

    test("may have a body up to the limit", async () => {
        const head = '{"players":[{"playerId":"2"}]';
        const full = head.padEnd(limits.bodyBytes - 1) + "}";
        await expect(readRequest(post(full), 1_000)).resolves.toHaveProperty("players");
        await expect(readRequest(post(full + " "), 1_000)).rejects.toMatchObject({ status: 413 });
    });

    test("is given up when its body does not come", async () => {
        const request = { headers: new Headers({ "content-type": "application/json" }), body: new ReadableStream() } as unknown as HttpRequest;
        await expect(readRequest(request, 100)).rejects.toMatchObject({ status: 408 });
    });

    test("that says itself that its body is too large is refused unread", async () => {
        const headers = { "content-type": "application/json", "content-length": String(limits.bodyBytes + 1) };
        await expect(readRequest(post("{}", headers), 1_000)).rejects.toMatchObject({ status: 413 });
    });

    test("is answered with problem details that say what and where", () => {
        const response = new HttpProblem("invalid-request", "x is 1: expected 2", { field: "x" }).toResponse();
        expect(response).toMatchObject({ status: 400, headers: { "content-type": "application/problem+json" } });
        expect(JSON.parse(response.body as string)).toEqual({
            type: "urn:player-predictions:invalid-request",
            title: "The request is not valid",
            status: 400,
            detail: "x is 1: expected 2",
            field: "x",
        });
    });
});
