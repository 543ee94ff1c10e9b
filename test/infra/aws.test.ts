import { describe, expect, it } from "vitest";
import { accessPolicy } from "../../infra/aws/policies";
import { record, tenantId } from "./recording";

const role = "aws:iam/role:Role";
const policy = "aws:iam/rolePolicy:RolePolicy";
const provider = "aws:iam/openIdConnectProvider:OpenIdConnectProvider";
const issuer = `sts.windows.net/${tenantId}/`;

function trust(providerArn: string, audience: string) {
    return {
        Version: "2012-10-17",
        Statement: [
            {
                Effect: "Allow",
                Principal: { Federated: providerArn },
                Action: "sts:AssumeRoleWithWebIdentity",
                Condition: { StringEquals: { [`${issuer}:aud`]: audience, [`${issuer}:sub`]: "principal-of-players-handlers" } },
            },
        ],
    };
}

const recorded = record();

describe("the trust of AWS in the handlers", () => {
    it("is in one identity of one tenant, for one audience", async () => {
        const { get } = await recorded;
        expect(get(provider, "players-aws-entra").inputs).toMatchObject({ url: `https://${issuer}`, clientIdLists: ["api://audience-client"] });
        expect(JSON.parse(String(get(role, "players-aws-role").inputs.assumeRolePolicy))).toEqual(
            trust("arn:aws:iam::123456789012:oidc-provider/entra", "api://audience-client"),
        );
    });

    it("has an audience that is an app registration with tokens of version 1, without secrets", async () => {
        const { get, resources } = await recorded;
        expect(get("azuread:index/application:Application", "players-aws-audience").inputs).toEqual({
            displayName: "players-aws",
            signInAudience: "AzureADMyOrg",
            api: { requestedAccessTokenVersion: 1 },
        });
        expect(get("azuread:index/applicationIdentifierUri:ApplicationIdentifierUri", "players-aws-audience-uri").inputs).toMatchObject({
            identifierUri: "api://audience-client",
        });
        expect(get("azuread:index/servicePrincipal:ServicePrincipal", "players-aws-audience-principal").inputs).toMatchObject({
            clientId: "audience-client",
        });
        expect(resources.filter(({ type }) => /azuread.*(password|certificate)/i.test(type))).toEqual([]);
    });

    it("takes an audience and a provider that are there already", async () => {
        const awsOidcProviderArn = `arn:aws:iam::123456789012:oidc-provider/${issuer}`;
        const { get, resources } = await record({ config: { awsTokenAudience: "api://existing", awsOidcProviderArn } });
        expect(resources.filter(({ type }) => type.startsWith("azuread:") || type === provider)).toEqual([]);
        expect(JSON.parse(String(get(role, "players-aws-role").inputs.assumeRolePolicy))).toEqual(trust(awsOidcProviderArn, "api://existing"));
    });
});

describe("what the role allows", () => {
    const list = { Sid: "ListPlayerLogs", Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::starfall-dev-player-logs" };
    const read = { Sid: "ReadPlayerLogs", Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::starfall-dev-player-logs/players/*" };

    it("is to read the one prefix of the one bucket and to sign in as the one user", async () => {
        expect(JSON.parse(String((await recorded).get(policy, "players-aws-policy").inputs.policy))).toEqual({
            Version: "2012-10-17",
            Statement: [
                { ...list, Condition: { StringLike: { "s3:prefix": "players/*" } } },
                read,
                {
                    Sid: "SignInToDatabase",
                    Effect: "Allow",
                    Action: "rds-db:connect",
                    Resource: "arn:aws:rds-db:ap-northeast-2:123456789012:dbuser:db-RESOURCE/predictions",
                },
            ],
        });
    });

    it("is no sign-in where the user has a password", async () => {
        const { get } = await record({ config: { databaseAuth: "password", databasePassword: "secret" } });
        expect(JSON.parse(String(get(policy, "players-aws-policy").inputs.policy))).toMatchObject({
            Statement: [{ Sid: "ListPlayerLogs" }, { Sid: "ReadPlayerLogs" }],
        });
    });

    it("is the whole bucket where there is no prefix", () => {
        const { Statement } = JSON.parse(accessPolicy({ bucketArn: list.Resource, prefix: "", databaseUserArn: undefined })) as { Statement: unknown };
        expect(Statement).toEqual([list, { ...read, Resource: `${list.Resource}/*` }]);
    });
});
