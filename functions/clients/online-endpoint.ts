import type { TokenCredential } from "@azure/identity";
import { DelegateBackoff, handleWhen, retry } from "cockatiel";
import type { Settings } from "../settings";
import { ModelUnavailableError, type ModelPlayer, type OnlineAnswer, readAnswer } from "./online-endpoint-protocol";

const scope = "https://ml.azure.com/.default";
/** A retry with less than this left until the deadline would only be cut off: the model works on after its caller left. */
const shortestCallMs = 50;
const retryPauseMs = 20;

/** The deployed model. */
export interface OnlineEndpoint {
    /**
     * Asks the model about players; one call, whatever their number.
     *
     * @param players each player once.
     * @param call.deadline when the answer is of no more use: milliseconds since 1970.
     * @throws ModelUnavailableError, at the deadline at the latest.
     * @throws ModelAnswerError
     */
    predict(players: readonly ModelPlayer[], call: { readonly deadline: number }): Promise<OnlineAnswer>;
    /**
     * Whether the endpoint takes this identity's calls: asks it about no player.
     *
     * @throws ModelUnavailableError or ModelAnswerError when it does not. One that is there but busy (429) does.
     */
    reachable(call: { readonly deadline: number }): Promise<void>;
}

export type OnlineEndpointSettings = Pick<Settings, "ONLINE_SCORING_URI" | "ONLINE_DEPLOYMENT">;

/** The online endpoint of the settings, called as the identity. Connections are kept and shared by Node's fetch. */
export function createOnlineEndpoint(
    settings: OnlineEndpointSettings,
    credential: TokenCredential,
    now: () => number = Date.now,
): OnlineEndpoint {
    async function ask(players: readonly ModelPlayer[], deadline: number): Promise<OnlineAnswer> {
        const signal = AbortSignal.timeout(Math.max(0, Math.ceil(deadline - now())));
        const authorization = `Bearer ${await accessToken(credential, signal)}`;
        const scoredAt = new Date(now()).toISOString();
        try {
            const response = await fetch(settings.ONLINE_SCORING_URI, {
                method: "POST",
                // The header picks the deployment whatever the endpoint's traffic says, so that a new one needs no second update.
                headers: { authorization, "content-type": "application/json", "azureml-model-deployment": settings.ONLINE_DEPLOYMENT },
                body: JSON.stringify({ players }),
                redirect: "manual",
                signal,
            });
            const text = await response.text();
            if (!response.ok) {
                throw refusal(response, text, now());
            }
            return readAnswer(text, players, scoredAt);
        } catch (error) {
            throw unanswered(error, signal);
        }
    }

    return {
        predict(players, { deadline }) {
            const pauseAfter = (error: unknown): number | undefined => pauseBeforeRetry(error, deadline - now());
            const retrying = retry(
                handleWhen((error) => pauseAfter(error) !== undefined),
                // The deadline may have come too near since the error was looked at: then the second call fails by itself, at once.
                { maxAttempts: 1, backoff: new DelegateBackoff(({ result }) => pauseAfter("error" in result ? result.error : undefined) ?? 0) },
            );
            return retrying.execute(() => ask(players, deadline));
        },
        async reachable({ deadline }) {
            try {
                await ask([], deadline);
            } catch (error) {
                if (!(error instanceof ModelUnavailableError && error.status === 429)) {
                    throw error;
                }
            }
        },
    };
}

/**
 * How long to wait before asking a second time, in milliseconds; undefined where that cannot help: the deadline is too near, or
 * the endpoint is overloaded without saying for how long. Asking twice is safe, a prediction changes nothing.
 */
export function pauseBeforeRetry(error: unknown, remainingMs: number): number | undefined {
    if (!(error instanceof ModelUnavailableError) || !error.retryable || (error.status === 429 && error.retryAfterMs === undefined)) {
        return undefined;
    }
    const pause = error.retryAfterMs ?? retryPauseMs * (1 + Math.random());
    return pause + shortestCallMs <= remainingMs ? pause : undefined;
}

async function accessToken(credential: TokenCredential, signal: AbortSignal): Promise<string> {
    try {
        // The credential may not heed the signal while it waits for the platform.
        const token = await Promise.race([credential.getToken(scope, { abortSignal: signal }), aborted(signal)]);
        if (token === null) {
            throw new Error(`the credential gave no token for ${scope}`);
        }
        return token.token;
    } catch (cause) {
        throw new ModelUnavailableError(`no token for the online endpoint: ${messageOf(cause)}`, { retryable: false, cause });
    }
}

/**
 * An answer other than 2xx. Statuses of Azure ML: 408 model over its time limit, 424 the model's own error, 429 more calls than it
 * takes (https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints#http-status-codes).
 */
function refusal(response: Response, text: string, now: number): ModelUnavailableError {
    const { status } = response;
    return new ModelUnavailableError(`the online endpoint answered ${status}: ${text.slice(0, 200) || response.statusText}`, {
        status,
        retryable: status === 429 || status === 502 || status === 503,
        retryAfterMs: retryAfter(response.headers.get("retry-after"), now),
    });
}

/** `Retry-After` in milliseconds: a number of seconds, or a date. */
export function retryAfter(header: string | null, now: number): number | undefined {
    if (header === null) {
        return undefined;
    }
    const milliseconds = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
    return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

/** Gives errors of fetch their type; those that have one pass. */
function unanswered(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) {
        return new ModelUnavailableError("the online endpoint did not answer before the deadline", { retryable: false, cause: error });
    }
    // fetch rejects with a TypeError whose cause is the connection's error.
    if (error instanceof TypeError) {
        return new ModelUnavailableError(`the online endpoint cannot be reached: ${messageOf(error.cause ?? error)}`, {
            retryable: true,
            cause: error,
        });
    }
    return error;
}

async function aborted(signal: AbortSignal): Promise<never> {
    return new Promise((_, reject) => {
        const fail = (): void => reject(new Error("the deadline has passed"));
        if (signal.aborted) {
            fail();
        }
        signal.addEventListener("abort", fail, { once: true });
    });
}

function messageOf(error: unknown): string {
    // Where a host has several addresses, the error of all of them has a code and no message.
    return error instanceof Error ? error.message || ("code" in error ? String(error.code) : error.name) : String(error);
}
