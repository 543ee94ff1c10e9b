import type { HttpRequest } from "@azure/functions";
import { parse as parseForPosition } from "lossless-json";
import * as z from "zod";
import { featureColumns, ignoredColumns, maxCategoryLength, numberPattern } from "./features";
import { HttpProblem } from "./problem";
import { show } from "./show";

/** Limits of one request. */
export const limits = { players: 1_000, bodyBytes: 1024 * 1024, playerIdLength: 64 } as const;

export const playerIdSchema = z
    .string()
    .min(1)
    .max(limits.playerIdLength)
    .refine((id) => id.isWellFormed(), "a lone surrogate is no character")
    .describe("The id under which the game knows the player.");

/** Documentation only: `checkFeatures` checks them, player by player, so that one player's error costs no other's answer. */
const featuresDocument = {
    type: "object",
    properties: Object.fromEntries<object>([
        ...featureColumns.map(({ name, type }) => [name, type === "number" ? numberDocument() : categoryDocument()] as const),
        ...ignoredColumns.map(({ name }) => [name, { description: "Accepted and not used." }] as const),
    ]),
    required: featureColumns.map(({ name }) => name),
    additionalProperties: false,
    description: "The player's record. May be left out where a stored prediction will do.",
};

/** The body of `POST /api/predictions`. */
export const requestSchema = z.strictObject({
    players: z
        .array(z.strictObject({ playerId: playerIdSchema, features: z.unknown().meta(featuresDocument) }).partial({ features: true }))
        .min(1)
        .max(limits.players)
        .describe("A player may come twice: both get the same answer, from the first features given."),
    maxAgeSeconds: z
        .int()
        .min(0)
        .optional()
        .describe(
            "A stored prediction counts only up to this age; 0 asks the model. Left out, the service's own freshness decides.",
        ),
    match: z
        .enum(["player", "inputs"])
        .optional()
        // Not `default`: generators of typed clients would make callers give what has one.
        .transform((match) => match ?? "player")
        .describe("`inputs`: a stored prediction counts only if it was made from the very features of this request. Left out, `player`."),
});

export type PredictRequest = z.output<typeof requestSchema>;

/**
 * Reads and checks the request, never more of it than the limit.
 *
 * @param withinMs longest time for the body to come
 * @throws HttpProblem
 */
export async function readRequest(request: HttpRequest, withinMs: number): Promise<PredictRequest> {
    const contentType = request.headers.get("content-type");
    if (contentType?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
        throw new HttpProblem(
            "unsupported-media-type",
            `content-type is ${contentType === null ? "missing" : show(contentType)}, expected application/json`,
        );
    }
    return parseRequest(await readBody(request, withinMs));
}

/**
 * Checks the bytes of a body.
 *
 * @throws HttpProblem
 */
export function parseRequest(body: Uint8Array): PredictRequest {
    const parsed = requestSchema.safeParse(parseJson(decode(body)), { reportInput: true });
    if (parsed.success) {
        return parsed.data;
    }
    const issue = parsed.error.issues[0];
    const field = fieldName(issue?.path ?? []);
    const value = issue?.input === undefined ? "is missing or wrong" : `is ${show(issue.input)}`;
    throw new HttpProblem("invalid-request", `${field || "the body"} ${value}: ${issue?.message ?? "invalid"}`, {
        field: field || undefined,
    });
}

async function readBody(request: HttpRequest, withinMs: number): Promise<Uint8Array> {
    if (Number(request.headers.get("content-length") ?? 0) > limits.bodyBytes) {
        throw tooLarge();
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    const reader = request.body?.getReader();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new HttpProblem("request-timeout", `the body did not come within ${withinMs} ms`)), withinMs);
    });
    try {
        for (let next; reader && !(next = await Promise.race([reader.read(), late])).done; ) {
            const chunk = next.value as Uint8Array;
            length += chunk.byteLength;
            if (length > limits.bodyBytes) {
                throw tooLarge();
            }
            chunks.push(chunk);
        }
        return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length);
    } catch (error) {
        void reader?.cancel().catch(() => undefined);
        throw error;
    } finally {
        clearTimeout(timer);
    }
}

function tooLarge(): HttpProblem {
    return new HttpProblem("body-too-large", `the body has more than ${limits.bodyBytes} bytes: send fewer players a request`);
}

function decode(body: Uint8Array): string {
    try {
        return new TextDecoder("utf-8", { fatal: true }).decode(body);
    } catch {
        throw new HttpProblem("invalid-json", "the body is not UTF-8");
    }
}

function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch (error) {
        throw new HttpProblem("invalid-json", jsonFault(text) ?? (error as SyntaxError).message);
    }
}

/** What is wrong with the text, with its position, which the engine's own message often lacks. */
function jsonFault(text: string): string | undefined {
    try {
        parseForPosition(text);
        return undefined;
    } catch (error) {
        // It is recursive: a text nested deeper than the stack is left to the engine's message.
        return error instanceof SyntaxError ? error.message : undefined;
    }
}

/** `players[3].playerId` */
function fieldName(path: readonly PropertyKey[]): string {
    return path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i > 0 ? "." : ""}${String(key)}`)).join("");
}

function numberDocument(): object {
    return { anyOf: [{ type: "number" }, { type: "string", pattern: numberPattern.source }] };
}

function categoryDocument(): object {
    return { anyOf: [{ type: "string", minLength: 1, maxLength: maxCategoryLength }, { type: "number" }] };
}
