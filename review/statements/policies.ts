import { isRecord, isSecret, isUnknown, parsed } from "../special";
import { parseUrn } from "../urn";
import { subjectOf } from "../words";
import { gains, trusts, type Described, type Statement } from "./statement";

/** AWS: what roles may do, and whom they trust. */
export function policiesOf(resource: Described): Statement[] {
    const { inputs } = resource.state;
    const about = subjectOf(resource, resource.show);
    switch (resource.type) {
        case "aws:iam/role:Role":
            return [
                ...document(resource, about, inputs.assumeRolePolicy, trust),
                ...items(inputs.managedPolicyArns).map((arn) => grant(about, `managed policy ${resource.show.value(arn, [])}`)),
                ...items(inputs.inlinePolicies).flatMap((inline) => document(resource, about, isRecord(inline) ? inline.policy : undefined, grant)),
            ];
        case "aws:iam/rolePolicy:RolePolicy":
            return document(resource, holder(resource), inputs.policy, grant);
        case "aws:iam/policy:Policy":
        case "aws:s3/bucketPolicy:BucketPolicy":
        case "aws:iam/userPolicy:UserPolicy":
            return document(resource, about, inputs.policy, grant);
        case "aws:iam/rolePolicyAttachment:RolePolicyAttachment":
            return [grant(holder(resource), `managed policy ${resource.show.value(inputs.policyArn, [])}`)];
        case "aws:iam/accessKey:AccessKey":
            return [grant(about, "a stored access key")];
        case "aws:iam/openIdConnectProvider:OpenIdConnectProvider":
            return items(inputs.clientIdLists).map((audience) =>
                trust(about, `tokens of ${resource.show.value(inputs.url, [])} for audience ${resource.show.value(audience, [])}`),
            );
        default:
            return [];
    }
}

function grant(about: string, says: string): Statement {
    return { topic: "access", about, says, kind: gains };
}

function trust(about: string, says: string): Statement {
    return { topic: "access", about, says, kind: trusts };
}

/** Whose policy it is: the role, by what the program calls it where the file tells. */
function holder(resource: Described): string {
    const { dependencies, inputs } = resource.state;
    const urn = parseUrn(dependencies.role?.[0] ?? "");
    return urn === undefined ? `AWS role ${resource.show.value(inputs.role, [])}` : subjectOf(urn, resource.show);
}

type Say = (about: string, says: string) => Statement;

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html */
function document(resource: Described, about: string, policy: unknown, say: Say): Statement[] {
    if (policy === undefined || policy === null) {
        return [];
    }
    if (isUnknown(policy) || isSecret(policy)) {
        return [say(about, `what a policy says that is ${isSecret(policy) ? "secret" : "known after the update"}`)];
    }
    const value = typeof policy === "string" ? parsed(policy) : policy;
    if (!isRecord(value)) {
        return [say(about, `a policy that is not JSON: ${resource.show.value(policy, [])}`)];
    }
    return items(value.Statement).flatMap((statement) => (isRecord(statement) ? sentences(resource, about, statement, say) : []));
}

function sentences(resource: Described, about: string, statement: Record<string, unknown>, say: Say): Statement[] {
    const { value, list } = resource.show;
    const named = (of: unknown): string => list(items(of).map((each) => value(each, [])));
    const denied = statement.Effect === "Allow" ? "" : "a denial of ";
    const whom = [
        ...("Principal" in statement ? [`for ${named(principals(statement.Principal))}`] : []),
        ...("NotPrincipal" in statement ? [`for everybody but ${named(principals(statement.NotPrincipal))}`] : []),
    ];
    const where = [
        ...("Resource" in statement ? [`on ${named(statement.Resource)}`] : []),
        ...("NotResource" in statement ? [`on everything but ${named(statement.NotResource)}`] : []),
        ...whom,
        ...conditions(resource, statement.Condition),
    ].join(" ");
    const actions = "NotAction" in statement ? [`everything but ${named(statement.NotAction)}`] : items(statement.Action).map((action) => value(action, []));
    return actions.map((action) => say(about, `${denied}${action} ${where}`.trimEnd()));
}

/** `*` or `{AWS|Service|Federated|CanonicalUser: one or several}` */
function principals(value: unknown): unknown[] {
    return isRecord(value) ? Object.values(value).flatMap(items) : items(value);
}

function conditions({ show }: Described, condition: unknown): string[] {
    const tests = Object.entries(isRecord(condition) ? condition : {}).flatMap(([operator, keys]) =>
        Object.entries(isRecord(keys) ? keys : {}).map(([key, wanted]) => `${show.text(key)} ${show.text(operator)} ${show.value(wanted, [])}`),
    );
    return tests.length === 0 ? [] : [`when ${tests.sort().join(" and ")}`];
}

function items(value: unknown): unknown[] {
    return Array.isArray(value) ? (value as unknown[]) : value === undefined || value === null ? [] : [value];
}
