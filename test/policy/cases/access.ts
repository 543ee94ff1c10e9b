import { resource, type Cases } from "./case";

const group = "/subscriptions/1/resourceGroups/players-dev";
const roleId = (guid: string) => `/subscriptions/1/providers/Microsoft.Authorization/roleDefinitions/${guid}`;
const assignment = (props: Record<string, unknown>) => resource("azure-native:authorization:RoleAssignment", props);
const definition = (props: Record<string, unknown>) => resource("azure-native:authorization:RoleDefinition", props);

const rolePolicy = (...statements: readonly object[]) =>
    resource("aws:iam/rolePolicy:RolePolicy", { policy: JSON.stringify({ Version: "2012-10-17", Statement: statements }) });
const fullAccess = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
const allow = (Action: unknown, Resource: unknown) => ({ Effect: "Allow", Action, Resource });

const role = (...statements: readonly object[]) =>
    resource("aws:iam/role:Role", { assumeRolePolicy: JSON.stringify({ Statement: statements }) });
const provider = "sts.windows.net/22222222-2222-4222-8222-222222222222/";
const oidc = "arn:aws:iam::1:oidc-provider/x";
const trust = (Condition: object) => ({
    Effect: "Allow",
    Principal: { Federated: oidc },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition,
});
const oneAudience = { [`${provider}:aud`]: "api://players" };
const oneSubject = { [`${provider}:sub`]: "33333333-3333-4333-8333-333333333333" };
const noExactSubject = "the trust does not ask for one exact sub: add <provider>:sub with one value to Condition.StringEquals";

export const accessCases: Cases = {
    "role-not-broad": {
        good: [assignment({ roleDefinitionId: roleId("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1") })],
        bad: [
            {
                what: assignment({ roleDefinitionId: roleId("8e3af657-a8ff-443c-a75c-2fe8c4bcb635") }),
                faults: ["the role Owner is given: give the built-in role of the one action that is needed"],
            },
            {
                what: assignment({ roleDefinitionId: roleId("B24988AC-6180-42A0-AB88-20F7382DD24C") }),
                faults: ["the role Contributor is given: give the built-in role of the one action that is needed"],
            },
            {
                what: assignment({ roleDefinitionId: roleId("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9") }),
                faults: ["the role User Access Administrator is given: give the built-in role of the one action that is needed"],
            },
            {
                what: assignment({ roleDefinitionId: roleId("f58310d9-a9f6-439a-9e8d-f62e7b41a168") }),
                faults: ["the role Role Based Access Control Administrator is given: give the built-in role of the one action that is needed"],
            },
        ],
    },
    "role-scope": {
        good: [assignment({ scope: group }), assignment({ scope: `${group}/providers/Microsoft.Storage/storageAccounts/playerslake` })],
        bad: [
            {
                what: assignment({ scope: "/subscriptions/1" }),
                faults: ['scope "/subscriptions/1" is wider than a resource group: name the resource'],
            },
            {
                what: assignment({ scope: "/providers/Microsoft.Management/managementGroups/studio" }),
                faults: [
                    'scope "/providers/Microsoft.Management/managementGroups/studio" is wider than a resource group: name the resource',
                ],
            },
        ],
    },
    "role-no-wildcard": {
        good: [definition({ permissions: [{ actions: ["Microsoft.Storage/storageAccounts/read"] }], assignableScopes: [group] })],
        bad: [
            {
                what: definition({
                    permissions: [{ actions: ["*/read"], dataActions: ["Microsoft.Storage/*"] }],
                    assignableScopes: ["/subscriptions/1"],
                }),
                faults: [
                    'actions has "*/read": name each action',
                    'dataActions has "Microsoft.Storage/*": name each action',
                    'assignableScopes "/subscriptions/1" is wider than a resource group: name the resource',
                ],
            },
        ],
    },
    "aws-no-wildcard": {
        good: [
            rolePolicy(allow("s3:ListBucket", "arn:aws:s3:::logs"), allow(["s3:GetObject"], ["arn:aws:s3:::logs/players/*"]), {
                Effect: "Deny",
                Action: "*",
                Resource: "*",
            }),
            resource("aws:iam/policy:Policy", {
                policy: { Statement: allow("rds-db:connect", "arn:aws:rds-db:eu-west-1:1:dbuser:db-A/predictions") },
            }),
            resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", { policyArn: "arn:aws:iam::123456789012:policy/players" }),
            resource("aws:s3/bucketPolicy:BucketPolicy", {
                policy: { Statement: { ...allow("s3:GetObject", "arn:aws:s3:::logs/*"), Principal: { AWS: "arn:aws:iam::1:role/game" } } },
            }),
        ],
        bad: [
            {
                what: rolePolicy(allow("s3:*", "*")),
                faults: ['the action "s3:*" has a wildcard: name each action', 'the resource "*" has a wildcard: name the resource'],
            },
            {
                what: rolePolicy(allow("s3:GetObject", "arn:aws:s3:::*/players/*")),
                faults: ['the resource "arn:aws:s3:::*/players/*" has a wildcard: name the resource'],
            },
            {
                what: rolePolicy(allow("rds-db:connect", "arn:aws:rds-db:eu-west-1:1:dbuser:*/predictions")),
                faults: ['the resource "arn:aws:rds-db:eu-west-1:1:dbuser:*/predictions" has a wildcard: name the resource'],
            },
            {
                what: rolePolicy({ Effect: "Allow", NotAction: "iam:*", NotResource: "arn:aws:s3:::logs" }),
                faults: [
                    "NotAction allows all but a few actions: list the allowed ones in Action",
                    "NotResource allows all but a few resources: list the allowed ones in Resource",
                ],
            },
            {
                what: resource("aws:iam/role:Role", {
                    inlinePolicies: [{ policy: JSON.stringify({ Statement: [allow("s3:Get?bject", "arn:aws:s3:::logs")] }) }],
                }),
                faults: ['the action "s3:Get?bject" has a wildcard: name each action'],
            },
            ...["iam/policy:Policy", "iam/userPolicy:UserPolicy", "iam/groupPolicy:GroupPolicy", "s3/bucketPolicy:BucketPolicy"].map((type) => ({
                what: resource(`aws:${type}`, { policy: { Statement: [allow("s3:PutObject", "arn:aws:s3:::logs*")] } }),
                faults: ['the resource "arn:aws:s3:::logs*" has a wildcard: name the resource'],
            })),
            ...["rolePolicyAttachment", "userPolicyAttachment", "groupPolicyAttachment", "policyAttachment"].map((kind) => ({
                what: resource(`aws:iam/${kind}:${kind.replace(/^./, (letter) => letter.toUpperCase())}`, { policyArn: fullAccess }),
                faults: [`policyArn has ${fullAccess}, a policy of AWS itself, over all resources: write one that names them`],
            })),
            {
                what: resource("aws:iam/role:Role", { managedPolicyArns: ["arn:aws:iam::123456789012:policy/players", fullAccess] }),
                faults: [`managedPolicyArns has ${fullAccess}, a policy of AWS itself, over all resources: write one that names them`],
            },
            ...["*", { AWS: "*" }, { AWS: ["arn:aws:iam::1:role/game", "*"] }].map((Principal) => ({
                what: resource("aws:s3/bucketPolicy:BucketPolicy", { policy: { Statement: { ...allow("s3:GetObject", "arn:aws:s3:::logs/*"), Principal } } }),
                faults: ["the principal is everybody: name who is let in"],
            })),
            {
                what: resource("aws:s3/bucketPolicy:BucketPolicy", {
                    policy: { Statement: { ...allow("s3:GetObject", "arn:aws:s3:::logs/*"), NotPrincipal: { AWS: "arn:aws:iam::1:root" } } },
                }),
                faults: ["NotPrincipal lets in all but a few: list who is let in in Principal"],
            },
            ...["{", "allow everything", "7", 7].map((policy) => ({
                what: resource("aws:iam/rolePolicy:RolePolicy", { policy }),
                faults: ["the policy is no JSON document: write one with a Statement, by JSON.stringify"],
            })),
        ],
    },
    "aws-exact-trust": {
        good: [role(trust({ StringEquals: { ...oneAudience, ...oneSubject } }))],
        bad: [
            { what: role(trust({ StringEquals: oneAudience })), faults: [noExactSubject] },
            { what: role(trust({ StringEquals: oneAudience, StringLike: { [`${provider}:sub`]: "3*" } })), faults: [noExactSubject] },
            { what: role(trust({ StringEquals: { ...oneAudience, [`${provider}:sub`]: ["a", "b"] } })), faults: [noExactSubject] },
            { what: role(trust({ StringEquals: { ...oneAudience, [`${provider}:sub`]: "*" } })), faults: [noExactSubject] },
            ...[{ AWS: "*" }, "*", { Service: "ec2.amazonaws.com" }, { Federated: oidc, AWS: "arn:aws:iam::1:root" }].map((Principal) => ({
                what: role({ ...trust({ StringEquals: { ...oneAudience, ...oneSubject } }), Principal }),
                faults: [
                    "the trust is in something else than a web identity: allow sts:AssumeRoleWithWebIdentity to a Federated principal alone",
                ],
            })),
            {
                what: role({ ...trust({ StringEquals: { ...oneAudience, ...oneSubject } }), Principal: { Federated: "*" } }),
                faults: ['the trust is in "*": name the one OIDC provider by its ARN'],
            },
            {
                what: role({ ...trust({ StringEquals: { ...oneAudience, ...oneSubject } }), Principal: { Federated: [oidc, `${oidc}y`] } }),
                faults: [`the trust is in "${oidc}" and "${oidc}y": name the one OIDC provider by its ARN`],
            },
            {
                what: resource("aws:iam/role:Role", { assumeRolePolicy: "trust everybody" }),
                faults: ["the policy is no JSON document: write one with a Statement, by JSON.stringify"],
            },
        ],
    },
    "aws-no-open-ingress": {
        good: [
            resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", { cidrIpv4: "203.0.113.7/32" }),
            resource("aws:ec2/securityGroupRule:SecurityGroupRule", { type: "egress", cidrBlocks: ["0.0.0.0/0"] }),
        ],
        bad: [
            {
                what: resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", { cidrIpv6: "::/0" }),
                faults: ["ingress from ::/0 is from the internet: name the address that connects, such as that of the NAT gateway"],
            },
            {
                what: resource("aws:ec2/securityGroupRule:SecurityGroupRule", {
                    type: "ingress",
                    cidrBlocks: ["10.0.0.0/16", "0.0.0.0/0"],
                }),
                faults: ["ingress from 0.0.0.0/0 is from the internet: name the address that connects, such as that of the NAT gateway"],
            },
            ...["securityGroup:SecurityGroup", "defaultSecurityGroup:DefaultSecurityGroup"].map((type) => ({
                what: resource(`aws:ec2/${type}`, { ingress: [{ cidrBlocks: ["128.0.0.0/1"] }, { ipv6CidrBlocks: ["::/0"] }] }),
                faults: ["128.0.0.0/1", "::/0"].map(
                    (range) => `ingress from ${range} is from the internet: name the address that connects, such as that of the NAT gateway`,
                ),
            })),
        ],
    },
};
