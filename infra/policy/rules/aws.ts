import { at, checks, items, textOf, type Fault, type Rule, type RuleResource } from "../rule";

interface Statement {
    readonly Effect?: string;
    readonly Principal?: unknown;
    readonly NotPrincipal?: unknown;
    readonly Action?: unknown;
    readonly NotAction?: unknown;
    readonly Resource?: unknown;
    readonly NotResource?: unknown;
    readonly Condition?: unknown;
}

/** An S3 bucket's own objects, below a prefix or all: listing each is not possible. */
const objectsOfABucket = /^arn:aws[a-z-]*:s3:::[^*?/]+\/[^*?]*\*$/;

export const awsRules: readonly Rule[] = [
    {
        name: "aws-no-wildcard",
        description: "Policies name their actions and resources; of S3 objects the bucket is named.",
        check: checks({
            "aws:iam/rolePolicy:RolePolicy": ofPolicy,
            "aws:iam/policy:Policy": ofPolicy,
            "aws:iam/userPolicy:UserPolicy": ofPolicy,
            "aws:iam/groupPolicy:GroupPolicy": ofPolicy,
            "aws:iam/role:Role": ({ props }) => [
                ...items(props.inlinePolicies).flatMap((inline) => wildcards(at(inline, "policy"))),
                ...items(props.managedPolicyArns).flatMap((arn) => ofAws("managedPolicyArns", arn)),
            ],
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ofAttachment,
            "aws:iam/userPolicyAttachment:UserPolicyAttachment": ofAttachment,
            "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": ofAttachment,
            "aws:iam/policyAttachment:PolicyAttachment": ofAttachment,
            "aws:s3/bucketPolicy:BucketPolicy": ({ props }) => [...wildcards(props.policy), ...everybody(props.policy)],
        }),
    },
    {
        name: "aws-exact-trust",
        description: "A role trusts one identity: tokens of one audience and one subject, compared whole.",
        check: checks({ "aws:iam/role:Role": ({ props }) => eachAllowed(props.assumeRolePolicy, trustFaults) }),
    },
    {
        name: "aws-no-open-ingress",
        description: "Nothing on AWS is opened to the internet.",
        check: checks({
            "aws:ec2/securityGroup:SecurityGroup": ofGroup,
            "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ofGroup,
            "aws:ec2/securityGroupRule:SecurityGroupRule": ({ props }) =>
                props.type === "ingress" ? open([...items(props.cidrBlocks), ...items(props.ipv6CidrBlocks)]) : [],
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ({ props }) => open([props.cidrIpv4, props.cidrIpv6]),
        }),
    },
];

function ofPolicy({ props }: RuleResource): readonly Fault[] {
    return wildcards(props.policy);
}

function ofAttachment({ props }: RuleResource): readonly Fault[] {
    return ofAws("policyArn", props.policyArn);
}

function ofGroup({ props }: RuleResource): readonly Fault[] {
    return items(props.ingress).flatMap((rule) => open([...items(at(rule, "cidrBlocks")), ...items(at(rule, "ipv6CidrBlocks"))]));
}

/** Policies that AWS has made: their ARNs have no account. */
function ofAws(property: string, arn: unknown): Fault[] {
    return textOf(arn).includes(":iam::aws:policy/")
        ? [`${property} has ${textOf(arn)}, a policy of AWS itself, over all resources: write one that names them`]
        : [];
}

function everybody(policy: unknown): Fault[] {
    return eachAllowed(policy, ({ Principal, NotPrincipal }) => [
        ...(NotPrincipal === undefined ? [] : ["NotPrincipal lets in all but a few: list who is let in in Principal"]),
        ...(oneOrMore(Principal).includes("*") || oneOrMore(at(Principal, "AWS")).includes("*") ? ["the principal is everybody: name who is let in"] : []),
    ]);
}

function wildcards(policy: unknown): Fault[] {
    return eachAllowed(policy, (statement) => [
        ...(statement.NotAction === undefined ? [] : ["NotAction allows all but a few actions: list the allowed ones in Action"]),
        ...(statement.NotResource === undefined ? [] : ["NotResource allows all but a few resources: list the allowed ones in Resource"]),
        ...oneOrMore(statement.Action)
            .filter((action) => /[*?]/.test(action))
            .map((action) => `the action ${JSON.stringify(action)} has a wildcard: name each action`),
        ...oneOrMore(statement.Resource)
            .filter((resource) => /[*?]/.test(resource) && !objectsOfABucket.test(resource))
            .map((resource) => `the resource ${JSON.stringify(resource)} has a wildcard: name the resource`),
    ]);
}

function trustFaults(statement: Statement): Fault[] {
    const federated = oneOrMore(at(statement.Principal, "Federated"));
    if (federated.length === 0 || Object.keys(statement.Principal as object).length > 1) {
        return ["the trust is in something else than a web identity: allow sts:AssumeRoleWithWebIdentity to a Federated principal alone"];
    }
    if (federated.length > 1 || federated.some((arn) => /[*?]/.test(arn))) {
        return [`the trust is in ${federated.map((arn) => JSON.stringify(arn)).join(" and ")}: name the one OIDC provider by its ARN`];
    }
    const exact = Object.entries((at(statement.Condition, "StringEquals") ?? {}) as Record<string, unknown>);
    return ["aud", "sub"].flatMap((claim) => {
        const values = exact.filter(([key]) => key.endsWith(`:${claim}`)).flatMap(([, value]) => oneOrMore(value));
        return values.length === 1 && values.every((value) => value !== "" && !/[*?]/.test(value))
            ? []
            : [`the trust does not ask for one exact ${claim}: add <provider>:${claim} with one value to Condition.StringEquals`];
    });
}

/** What is wrong with the statements of a policy's document that allow something. The document may come as its text or as an object. */
function eachAllowed(document: unknown, faults: (statement: Statement) => Fault[]): Fault[] {
    const parsed = typeof document === "string" ? parsedOrUndefined(document) : document;
    if (document !== undefined && (typeof parsed !== "object" || parsed === null)) {
        return ["the policy is no JSON document: write one with a Statement, by JSON.stringify"];
    }
    return [at(parsed, "Statement") ?? []]
        .flat()
        .filter((each): each is Statement => (each as Statement).Effect === "Allow")
        .flatMap(faults);
}

function parsedOrUndefined(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

/** Less than eight bits of an address narrow nothing down: 0.0.0.0/0 can be written as 0.0.0.0/1 and 128.0.0.0/1. */
function open(ranges: readonly unknown[]): Fault[] {
    return ranges
        .map(textOf)
        .filter((range) => range.includes("/") && Number(range.split("/")[1]) < 8)
        .map((range) => `ingress from ${range} is from the internet: name the address that connects, such as that of the NAT gateway`);
}

function oneOrMore(value: unknown): string[] {
    return (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(textOf);
}
