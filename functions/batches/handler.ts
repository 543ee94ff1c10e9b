import type { HttpHandler, HttpResponseInit } from "@azure/functions";
import { LakeError } from "../clients/lake-errors";
import { HttpProblem, internalProblem } from "../predict/problem";
import { services } from "../services";
import { type BatchList, type BatchQuery, batchQuerySchema } from "./list";

/** `GET /api/batches`: what became of the folders. */
export const getBatches: HttpHandler = (request, context) =>
    answerBatches(request.query, async (query) => (await services.coldPath()).batches(query, (error) => context.warn(error)), {
        invocationId: context.invocationId,
        error: (error) => context.error(error),
    });

/** Answers a query; errors become problem details. */
export async function answerBatches(
    parameters: Iterable<readonly [string, string]>,
    find: (query: BatchQuery) => Promise<BatchList>,
    call: { readonly invocationId: string; readonly error: (error: unknown) => void },
): Promise<HttpResponseInit> {
    const parsed = batchQuerySchema.safeParse(Object.fromEntries(parameters));
    if (!parsed.success) {
        const [issue] = parsed.error.issues;
        const field = String(issue?.path[0] ?? (issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined) ?? "");
        return new HttpProblem("invalid-request", `query parameter ${field}: ${issue?.message}`, { field }).toResponse();
    }
    try {
        return { jsonBody: await find(parsed.data) };
    } catch (error) {
        call.error(error);
        const problem =
            error instanceof LakeError
                ? new HttpProblem("unavailable", "the states of the batches cannot be read now: try again", { retryAfterSeconds: 1 })
                : internalProblem(call.invocationId);
        return problem.toResponse();
    }
}
