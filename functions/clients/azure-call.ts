import type { TokenCredential } from "@azure/identity";

/** A service of Azure could not be asked, or refused. */
export class AzureCallError extends Error {
    override readonly name: string = "AzureCallError";
    /** Whether the same call may succeed later. */
    readonly retryable: boolean;

    /** @param status HTTP status of the answer; undefined when none came, and then the service may have done what it was asked nevertheless. */
    constructor(
        message: string,
        readonly status: number | undefined,
        options?: ErrorOptions,
    ) {
        super(message, options);
        this.retryable = status === undefined || status >= 500 || [404, 408, 429].includes(status);
    }
}

/** A service that takes and gives JSON. */
export interface AzureService {
    readonly credential: TokenCredential;
    /** Of the tokens that it takes. */
    readonly scope: string;
    /** Sent with each call. */
    readonly headers?: Readonly<Record<string, string>>;
    /** Longest wait for an answer. Milliseconds. */
    readonly timeoutMs: number;
    /** Its errors. */
    readonly error: typeof AzureCallError;
}

/**
 * Calls a service under the identity.
 *
 * @param read makes an answer of the body, and throws for one that is none
 * @throws the service's error, for whatever goes wrong
 */
export async function callAzure<T>(service: AzureService, method: "GET" | "POST" | "PUT", url: string, read: (body: unknown) => T, body?: unknown): Promise<T> {
    const place = `${method} ${url}`;
    let status: number | undefined;
    let text: string;
    try {
        const token = await service.credential.getToken(service.scope);
        const response = await fetch(url, {
            method,
            headers: { authorization: `Bearer ${token?.token}`, "content-type": "application/json", ...service.headers },
            ...(body !== undefined && { body: JSON.stringify(body) }),
            redirect: "manual",
            signal: AbortSignal.timeout(service.timeoutMs),
        });
        status = response.status;
        text = await response.text();
    } catch (error) {
        throw new service.error(`${place} got no whole answer`, undefined, { cause: error });
    }
    if (status < 200 || status > 299) {
        throw new service.error(`${place} was answered with status ${status}: ${text.slice(0, 1_000)}`, status);
    }
    try {
        return read(JSON.parse(text));
    } catch (error) {
        throw new service.error(`${place} was answered with what was not expected: ${text.slice(0, 500)}`, undefined, { cause: error });
    }
}
