import type { TokenCredential } from "@azure/identity";
import type { Redis } from "ioredis";

const scope = "https://redis.azure.com/.default";
/** Azure closes a connection whose token has ended, and asks for AUTH with the next one at least this long before. */
const leadMs = 3 * 60_000;
/** Spread over the instances of the app, so that they do not all ask for tokens in one second. */
const spreadMs = 90_000;
const retryMs = { first: 500, longest: 30_000 } as const;

/** The authentication of one connection. */
export interface Reauthentication {
    /** Settles, and never rejects, when the first attempt to connect has come to its end. */
    readonly opening: Promise<void>;
    /** Asks for no more tokens. */
    stop(): void;
}

/**
 * Opens the connection with an Entra token and keeps it authenticated: gets the next token before the current one ends and sends
 * AUTH with it on the live connection. Reconnects take the newest token from the client's options. ioredis does neither by itself
 * (https://github.com/redis/ioredis/issues/2022).
 *
 * Service facts: https://learn.microsoft.com/azure/redis/entra-for-authentication
 *
 * @param redis a client built with `lazyConnect`, whose user name is the identity's object id.
 * @param onError told of a token that could not be had or that the server refused; the next attempt is on its way already.
 */
export function keepAuthenticated(
    redis: Redis,
    username: string,
    credential: TokenCredential,
    onError: (error: unknown) => void,
): Reauthentication {
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;
    let failures = 0;

    async function authenticate(): Promise<void> {
        const token = redis.options.password;
        if (typeof token === "string" && redis.status === "ready") {
            await redis.auth(username, token);
        }
    }

    async function renew(): Promise<void> {
        let delay: number;
        try {
            const token = await credential.getToken(scope);
            if (token === null) {
                throw new Error(`the credential gave no token for ${scope}`);
            }
            redis.options.password = token.token;
            await authenticate();
            failures = 0;
            delay = renewalDelay(token.expiresOnTimestamp - Date.now(), Math.random());
        } catch (error) {
            onError(error);
            delay = Math.min(retryMs.longest, retryMs.first * 2 ** failures++) * (0.5 + Math.random() / 2);
        }
        if (!stopped) {
            timer = setTimeout(() => void renew(), delay).unref();
            if (redis.status === "wait" && redis.options.password !== undefined && redis.options.password !== null) {
                // Rejects when the first attempt fails; the client goes on trying by itself.
                await redis.connect().catch(() => undefined);
            }
        }
    }

    // A handshake that was under way when the token changed has used the one before: every new connection gets the newest.
    redis.on("ready", () => void authenticate().catch(onError));

    return {
        opening: renew(),
        stop() {
            stopped = true;
            clearTimeout(timer);
        },
    };
}

/**
 * How long to wait before asking for the next token, in milliseconds: until three minutes and a spread before the current one
 * ends, or for half of what is left of a token that lives shorter (the platform may hand out one that is nearly at its end).
 *
 * @param remainingMs life that the current token has left.
 * @param random 0 to 1: where in the spread.
 */
export function renewalDelay(remainingMs: number, random: number): number {
    const delay = remainingMs > 2 * (leadMs + spreadMs) ? remainingMs - leadMs - spreadMs * random : remainingMs * (0.4 + 0.2 * random);
    return Math.max(delay, retryMs.first);
}
