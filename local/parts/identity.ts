import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import path from "node:path";
import { calculateJwkThumbprint, errors, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT, type CryptoKey, type JWK } from "jose";
import { z } from "zod";
import { listenOnKeptPort, loopback } from "./ports";
import type { Workshop } from "./workshop";

/** A user-assigned managed identity. */
export interface Identity {
    /** What a caller asks for its tokens by. */
    readonly clientId: string;
    /** Object id: what roles and Redis know it by. */
    readonly principalId: string;
}

export interface IssuedToken extends Identity {
    readonly audience: string;
    readonly token: string;
    readonly expiresOn: Date;
}

/** Entra and the token endpoint of App Service, for the local cloud. */
export interface IdentityPart {
    /** `IDENTITY_ENDPOINT` of the apps. MSAL keeps the first one that it finds for as long as its process lives. */
    readonly endpoint: string;
    /** `IDENTITY_HEADER` of the apps: the secret that lets them ask. */
    readonly header: string;
    readonly tenantId: string;
    readonly issuer: string;
    addIdentity(identity: Identity): void;
    /** Gives it no more tokens; those that it has stay good to their end, as in Entra. */
    removeIdentity(clientId: string): void;
    /** @throws TokenError (400) for a client id that no identity has */
    issue(clientId: string, audience: string, lifetimeSeconds?: number): Promise<string>;
    /** Is told of each token, and waited for, before the token is given: whoever must know it first (Redis) does. */
    onIssue(listener: (token: IssuedToken) => Promise<void>): void;
    /** Checks a token as Azure's services do: signature, issuer, audience (a slash at the end is no difference), times. @throws TokenError (401) */
    verify(token: string, audience: string): Promise<Identity>;
    /**
     * For how long new tokens are good; 86,400 by default, as Azure's. MSAL gives a token out of its cache only while five minutes
     * of it are left, so with 300 seconds or less every `getToken` asks anew, and from two hours on it asks again at half time.
     */
    tokenLifetimeSeconds: number;
}

/** A token or a request for one is not good. */
export class TokenError extends Error {
    override readonly name = "TokenError";

    constructor(
        readonly status: 400 | 401,
        message: string,
        options?: ErrorOptions,
    ) {
        super(message, options);
    }
}

const apiVersion = "2019-08-01";
const algorithm = "RS256";
const directoryShape = z.object({ tenantId: z.string(), header: z.string(), key: z.looseObject({ kid: z.string() }) });

/**
 * Starts the identity part in this process. Its tenant and signing key stay in the workshop's folder, so tokens stay good over a restart.
 * @see https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
export async function startIdentity(workshop: Workshop): Promise<IdentityPart> {
    const directory = await ensureDirectory(path.join(workshop.dir, "identity"));
    const privateKey = await signingKey(directory.key);
    const publicKey = await signingKey({ ...directory.key, d: undefined, p: undefined, q: undefined, dp: undefined, dq: undefined, qi: undefined });
    const server = createServer();
    const port = await listenOnKeptPort(workshop, "identity", server);
    workshop.onStop(async () => {
        const closed = once(server, "close");
        server.close();
        server.closeAllConnections();
        await closed;
    });
    const part = new LocalIdentity(`http://${loopback}:${port}/msi/token`, directory, privateKey, publicKey);
    server.on("request", (request, response) => void part.serve(request, response));
    return part;
}

class LocalIdentity implements IdentityPart {
    readonly header: string;
    readonly tenantId: string;
    readonly issuer: string;
    tokenLifetimeSeconds = 86_400;
    readonly #identities = new Map<string, Identity>();
    readonly #listeners: ((token: IssuedToken) => Promise<void>)[] = [];
    readonly #kid: string;

    constructor(
        readonly endpoint: string,
        { header, tenantId, key }: z.infer<typeof directoryShape>,
        private readonly privateKey: CryptoKey,
        private readonly publicKey: CryptoKey,
    ) {
        this.header = header;
        this.tenantId = tenantId;
        this.issuer = `https://sts.windows.net/${tenantId}/`;
        this.#kid = key.kid;
    }

    addIdentity({ clientId, principalId }: Identity): void {
        this.#identities.set(clientId, { clientId, principalId });
    }

    removeIdentity(clientId: string): void {
        this.#identities.delete(clientId);
    }

    onIssue(listener: (token: IssuedToken) => Promise<void>): void {
        this.#listeners.push(listener);
    }

    async issue(clientId: string, audience: string, lifetimeSeconds = this.tokenLifetimeSeconds): Promise<string> {
        return (await this.#issue(clientId, audience, lifetimeSeconds)).token;
    }

    async #issue(clientId: string, audience: string, lifetimeSeconds: number): Promise<IssuedToken> {
        const identity = this.#identities.get(clientId);
        if (identity === undefined) {
            throw new TokenError(400, "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.");
        }
        const now = Math.floor(Date.now() / 1000);
        const expires = now + lifetimeSeconds;
        // The claims of version 1.0: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
        const claims = {
            idp: this.issuer,
            appid: clientId,
            appidacr: "2",
            oid: identity.principalId,
            tid: this.tenantId,
            uti: randomUUID(),
            ver: "1.0",
        };
        const token = await new SignJWT(claims)
            .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: this.#kid })
            .setIssuer(this.issuer)
            .setAudience(audience)
            .setSubject(identity.principalId)
            .setIssuedAt(now)
            .setNotBefore(now)
            .setExpirationTime(expires)
            .sign(this.privateKey);
        const issued = { ...identity, audience, token, expiresOn: new Date(1000 * expires) };
        await Promise.all(this.#listeners.map((listener) => listener(issued)));
        return issued;
    }

    async verify(token: string, audience: string): Promise<Identity> {
        const bare = audience.replace(/\/$/, "");
        try {
            const { payload } = await jwtVerify<{ oid: string; appid: string }>(token, this.publicKey, {
                algorithms: [algorithm],
                issuer: this.issuer,
                audience: [bare, `${bare}/`],
                requiredClaims: ["exp", "nbf", "iat", "oid", "appid"],
            });
            return { principalId: payload.oid, clientId: payload.appid };
        } catch (error) {
            if (error instanceof errors.JOSEError) {
                throw new TokenError(401, `the token is not good for ${audience}: ${error.message}`, { cause: error });
            }
            throw error;
        }
    }

    async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        try {
            const { token, expiresOn, audience, clientId } = await this.#answer(request);
            send(response, 200, {
                access_token: token,
                expires_on: String(expiresOn.getTime() / 1000),
                resource: audience,
                token_type: "Bearer",
                client_id: clientId,
            });
        } catch (error) {
            const statusCode = error instanceof TokenError ? error.status : 500;
            send(response, statusCode, { statusCode, message: error instanceof Error ? error.message : String(error) });
        }
    }

    async #answer(request: IncomingMessage): Promise<IssuedToken> {
        if (request.headers["x-identity-header"] !== this.header) {
            throw new TokenError(401, "X-IDENTITY-HEADER is missing or wrong; expected the value of IDENTITY_HEADER");
        }
        const url = new URL(request.url ?? "/", this.endpoint);
        const parameter = (name: string): string => url.searchParams.get(name) ?? "";
        if (request.method !== "GET" || url.pathname !== new URL(this.endpoint).pathname) {
            throw new TokenError(400, `${request.method} ${url.pathname}: expected GET ${new URL(this.endpoint).pathname}`);
        }
        if (parameter("api-version") !== apiVersion) {
            throw new TokenError(400, `api-version is "${parameter("api-version")}"; expected ${apiVersion}`);
        }
        if (parameter("resource") === "") {
            throw new TokenError(400, "resource is missing; expected the audience of the token");
        }
        return this.#issue(parameter("client_id"), parameter("resource"), this.tokenLifetimeSeconds);
    }
}

function send(response: ServerResponse, status: number, body: unknown): void {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}

/** The tenant: who it is and what it signs with. */
async function ensureDirectory(dir: string): Promise<z.infer<typeof directoryShape>> {
    const file = path.join(dir, "directory.json");
    if (!existsSync(file)) {
        const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
        const key = await exportJWK(privateKey);
        const directory = { tenantId: randomUUID(), header: randomUUID(), key: { ...key, kid: await calculateJwkThumbprint(key) } };
        mkdirSync(dir, { recursive: true });
        writeFileSync(`${file}.new`, JSON.stringify(directory), { mode: 0o600 });
        renameSync(`${file}.new`, file);
    }
    return directoryShape.parse(JSON.parse(readFileSync(file, "utf8")));
}

async function signingKey(key: JWK): Promise<CryptoKey> {
    return (await importJWK(key, algorithm)) as CryptoKey;
}
