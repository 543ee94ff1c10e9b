import { createDefaultHttpClient, type HttpClient } from "@azure/core-rest-pipeline";
import { type AccessToken, type GetTokenOptions, ManagedIdentityCredential, type TokenCredential } from "@azure/identity";
import type { Settings } from "../settings";

/** The platform answers within milliseconds; one that hangs must not hold sockets, nor everyone who waits for a token, for ever. */
const requestTimeoutMs = 2_000;

/**
 * The identity that the handlers run as. The credential keeps its tokens and gets a new one when a kept one has less than five
 * minutes left, so callers ask it each time; those who ask at the same time share one request.
 */
export function createIdentityCredential(settings: Pick<Settings, "AZURE_CLIENT_ID">): TokenCredential {
    return new SharedCredential(
        new ManagedIdentityCredential({
            clientId: settings.AZURE_CLIENT_ID,
            httpClient: withTimeout(createDefaultHttpClient()),
            // Callers try again by themselves, and those of a request cannot wait for a pause of seconds.
            retryOptions: { maxRetries: 1 },
        }),
    );
}

function withTimeout(client: HttpClient): HttpClient {
    return {
        sendRequest(request) {
            request.timeout = requestTimeoutMs;
            return client.sendRequest(request);
        },
    };
}

class SharedCredential implements TokenCredential {
    private readonly asked = new Map<string, Promise<AccessToken | null>>();

    constructor(private readonly credential: TokenCredential) {}

    getToken(scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken | null> {
        const key = JSON.stringify([scopes, options.tenantId, options.claims]);
        let asked = this.asked.get(key);
        if (asked === undefined) {
            // Without the signal of the one who happened to be first: it would end the wait of the others.
            asked = this.credential.getToken(scopes, { ...options, abortSignal: undefined }).finally(() => this.asked.delete(key));
            this.asked.set(key, asked);
        }
        return asked;
    }
}
