import type { HttpResponseInit } from "@azure/functions";
import * as z from "zod";

/** What can be wrong with a whole request, with the status that each has. */
const kinds = {
    "invalid-json": { status: 400, title: "The body is not JSON" },
    "invalid-request": { status: 400, title: "The request is not valid" },
    "not-found": { status: 404, title: "There is no such prediction" },
    "request-timeout": { status: 408, title: "The body did not come in time" },
    "body-too-large": { status: 413, title: "The body is too large" },
    "unsupported-media-type": { status: 415, title: "The body has the wrong content type" },
    overloaded: { status: 503, title: "More is asked than can be answered in time" },
    internal: { status: 500, title: "The service failed" },
    unavailable: { status: 503, title: "The service cannot answer now" },
} as const;

/** Problem details of RFC 9457, as every error of the endpoint is answered. */
export const problemSchema = z.object({
    type: z.string().describe("Identifies the kind of problem; stays the same between releases."),
    title: z.string().describe("The kind of problem in words."),
    status: z.int().describe("The HTTP status."),
    detail: z.string().describe("What is wrong here, and what was expected."),
    field: z.string().optional().describe("The field of the request that is wrong, such as `players[3].playerId`."),
});

/** A request that is answered with a problem. */
export class HttpProblem extends Error {
    override readonly name = "HttpProblem";
    readonly status: number;

    constructor(
        readonly kind: keyof typeof kinds,
        detail: string,
        readonly more: { readonly field?: string | undefined; readonly retryAfterSeconds?: number } = {},
    ) {
        super(detail);
        this.status = kinds[kind].status;
    }

    toResponse(): HttpResponseInit {
        const { status, title } = kinds[this.kind];
        const { field, retryAfterSeconds } = this.more;
        const type = `urn:player-predictions:${this.kind}`;
        return {
            status,
            headers: {
                "content-type": "application/problem+json",
                ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
            },
            body: JSON.stringify({ type, title, status, detail: this.message, field } satisfies z.infer<typeof problemSchema>),
        };
    }
}

/** The problem of an error that is nobody's but the service's: its message is for the log, not for the caller. */
export function internalProblem(invocationId: string): HttpProblem {
    return new HttpProblem("internal", `The request failed by no fault of yours; the log has it as invocation ${invocationId}.`);
}
