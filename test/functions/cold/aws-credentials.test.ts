import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AwsCredentialsError, createAwsCredentials } from "../../../functions/clients/aws-credentials";

/** STS's answer, good for so many minutes. */
function grant(number: number, minutes: number): string {
    const expiration = new Date(Date.now() + minutes * 60_000).toISOString();
    return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <AssumeRoleWithWebIdentityResult><Credentials>
        <AccessKeyId>key-${number}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
        <Expiration>${expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
}

const refusal = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>
    <Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>`;

describe("the AWS role of the identity", () => {
    let server: Server;
    let requests: URLSearchParams[];
    let answer: () => { status: number; body: string };
    beforeEach(async () => {
        requests = [];
        answer = () => ({ status: 200, body: grant(requests.length, 60) });
        server = createServer((request, response) => {
            void request.toArray().then((chunks) => {
                requests.push(new URLSearchParams(Buffer.concat(chunks as Buffer[]).toString("utf8")));
                const { status, body } = answer();
                response.writeHead(status, { "content-type": "text/xml" }).end(body);
            });
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    });
    afterEach(() => {
        server.closeAllConnections();
        server.close();
    });

    function credentials() {
        let tokens = 0;
        return createAwsCredentials(
            {
                AWS_REGION: "eu-west-1",
                AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/predictions",
                AWS_TOKEN_AUDIENCE: "api://0f1e",
                STS_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
            },
            {
                getToken: (scope) => {
                    tokens += 1;
                    return Promise.resolve({ token: `token ${tokens} for ${String(scope)}`, expiresOnTimestamp: 0 });
                },
            },
        );
    }

    test("is assumed with a token of the trusted audience, once for all who ask", async () => {
        const role = credentials();
        const given = await Promise.all([role(), role(), role()]);
        given.push(await role());
        expect(given.map(({ accessKeyId }) => accessKeyId)).toEqual(["key-1", "key-1", "key-1", "key-1"]);
        expect(given[0]).toMatchObject({ secretAccessKey: "secret", sessionToken: "session" });
        expect(requests.map((request) => Object.fromEntries(request))).toEqual([
            {
                Action: "AssumeRoleWithWebIdentity",
                Version: "2011-06-15",
                RoleArn: "arn:aws:iam::123456789012:role/predictions",
                RoleSessionName: "player-predictions",
                WebIdentityToken: "token 1 for api://0f1e/.default",
            },
        ]);
    });

    test("is renewed before its end, with a token of then", async () => {
        answer = () => ({ status: 200, body: grant(requests.length, requests.length === 1 ? 4 : 60) });
        const role = credentials();
        await role();
        expect((await role()).accessKeyId).toBe("key-2");
        expect((await role()).accessKeyId).toBe("key-2");
        expect(requests.map((request) => request.get("WebIdentityToken"))).toEqual([
            "token 1 for api://0f1e/.default",
            "token 2 for api://0f1e/.default",
        ]);
    });

    test("that AWS refuses is an error that repeating does not help, and no lasting one", async () => {
        answer = () => ({ status: 403, body: refusal });
        const role = credentials();
        const failure: unknown = await role().catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(AwsCredentialsError);
        expect(failure).toMatchObject({ retryable: false, message: expect.stringContaining("api://0f1e") as string });
        answer = () => ({ status: 200, body: grant(requests.length, 60) });
        expect((await role()).accessKeyId).toBe(`key-${requests.length}`);
    });
});
