import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { startIdentity, TokenError, type IdentityPart } from "../../local/parts/identity";
import { openWorkshop } from "../../local/parts/workshop";
import { temporaryDir, temporaryWorkshop } from "./temporary";

const identity = { clientId: "aaaaaaaa-0000-0000-0000-000000000001", principalId: "bbbbbbbb-0000-0000-0000-000000000001" };
const audience = "https://storage.azure.com";

async function ask({ endpoint, header }: IdentityPart, changes: Record<string, string | undefined> = {}): Promise<Response> {
    const { "x-identity-header": sent = header, ...parameters } = changes;
    const all = { resource: audience, "api-version": "2019-08-01", client_id: identity.clientId, ...parameters };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return fetch(`${endpoint}?${new URLSearchParams(given).toString()}`, { headers: { "X-IDENTITY-HEADER": sent } });
}

test("gives a token with Entra's claims over App Service's protocol", async () => {
    const part = await startIdentity(await temporaryWorkshop());
    part.addIdentity(identity);
    const answer = await ask(part);
    const body = (await answer.json()) as Record<string, string>;
    const claims = decodeJwt(body.access_token ?? "");
    expect(answer.status).toBe(200);
    expect(body).toEqual({
        access_token: body.access_token,
        expires_on: String(claims.exp),
        resource: audience,
        token_type: "Bearer",
        client_id: identity.clientId,
    });
    expect(claims).toMatchObject({
        iss: `https://sts.windows.net/${part.tenantId}/`,
        aud: audience,
        sub: identity.principalId,
        oid: identity.principalId,
        appid: identity.clientId,
        tid: part.tenantId,
        ver: "1.0",
    });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(86_400);
    expect(Math.abs(Number(claims.iat) - Date.now() / 1000)).toBeLessThan(30);
    expect(await part.verify(body.access_token ?? "", `${audience}/`)).toEqual(identity);
});

test.each([
    ["the secret is wrong", { "x-identity-header": "other" }, 401, /X-IDENTITY-HEADER/],
    ["the client id is unknown", { client_id: "cccccccc-0000-0000-0000-000000000001" }, 400, /No User Assigned or Delegated Managed Identity found/],
    ["no client id is given: there is no system-assigned identity", { client_id: undefined }, 400, /No User Assigned or Delegated Managed Identity found/],
    ["no resource is given", { resource: undefined }, 400, /resource/],
    ["the version is another", { "api-version": "2017-09-01" }, 400, /2019-08-01/],
])("refuses when %s", async (_case, changes, status, message) => {
    const part = await startIdentity(await temporaryWorkshop());
    part.addIdentity(identity);
    const answer = await ask(part, changes);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ statusCode: status, message: expect.stringMatching(message) as string });
});

test("a token is good for its audience, tenant and time alone", async () => {
    const [part, stranger] = [await startIdentity(await temporaryWorkshop()), await startIdentity(await temporaryWorkshop())];
    part.addIdentity(identity);
    stranger.addIdentity(identity);
    const refused = async (token: string, asked = audience): Promise<void> => {
        const error: unknown = await part.verify(token, asked).catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(TokenError);
        expect((error as TokenError).status).toBe(401);
    };
    await refused(await part.issue(identity.clientId, audience), "https://redis.azure.com");
    await refused(await stranger.issue(identity.clientId, audience));
    await refused(await part.issue(identity.clientId, audience, -1));
    await refused(`${await part.issue(identity.clientId, audience)}x`);
    await refused("");
    await expect(part.issue("nobody", audience)).rejects.toThrow(TokenError);
});

test("waits for those who must know a token first, and gives none when they fail", async () => {
    const part = await startIdentity(await temporaryWorkshop());
    part.addIdentity(identity);
    part.tokenLifetimeSeconds = 60;
    const told: string[] = [];
    let fail = false;
    part.onIssue(async ({ token, expiresOn, principalId, clientId }) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect({ principalId, clientId }).toEqual(identity);
        expect(decodeJwt(token).exp).toBe(expiresOn.getTime() / 1000);
        told.push(token);
        if (fail) {
            throw new Error("Redis is away");
        }
    });
    const token = await part.issue(identity.clientId, audience);
    expect(told).toEqual([token]);
    fail = true;
    expect((await ask(part)).status).toBe(500);
});

test("tokens stay good when the part starts again in the same folder", async () => {
    const dir = temporaryDir();
    const first = await openWorkshop(dir);
    const before = await startIdentity(first);
    before.addIdentity(identity);
    const token = await before.issue(identity.clientId, audience);
    await first.stop();
    await expect(ask(before)).rejects.toThrow();

    const after = await startIdentity(await temporaryWorkshop(dir));
    expect({ tenantId: after.tenantId, header: after.header }).toEqual({ tenantId: before.tenantId, header: before.header });
    expect(await after.verify(token, audience)).toEqual(identity);
});
