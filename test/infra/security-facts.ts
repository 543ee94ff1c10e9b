import { roles } from "../../infra/role-ids";
import { subscription, text, type Called, type Recorded, type Recording } from "./recording";

/** A row of a table of `docs/security.md`: its cells but the last, which is free text. */
export type Row = readonly string[];

/** Which identity may do what: Azure roles, access to Redis, and what the role in AWS allows. */
export function rightsOf(recording: Recording): Row[] {
    const azure = recording.all("azure-native:authorization:RoleAssignment").map(({ inputs }) => {
        const role = Object.entries(roles).find(([, id]) => text(inputs.roleDefinitionId).endsWith(id));
        return [identityOf(inputs.principalId), role?.[0] ?? text(inputs.roleDefinitionId), placeOf(inputs.scope)];
    });
    const redis = recording
        .all("azure-native:redisenterprise:AccessPolicyAssignment")
        .map(({ inputs }) => [identityOf((inputs.user as { objectId: unknown }).objectId), `access policy ${text(inputs.accessPolicyName)}`, "Redis"]);
    const aws = recording.all("aws:iam/rolePolicy:RolePolicy").flatMap(({ inputs }) => {
        const { Statement } = JSON.parse(text(inputs.policy)) as { Statement: { Action: string; Sid: string }[] };
        return Statement.map(({ Action, Sid }) => ["handlers", Action, Sid]);
    });
    return [...azure, ...redis, ...aws];
}

/** What can be reached from where. */
export function openingsOf(recording: Recording): Row[] {
    const anybody = (name: string): Row => [name, "any address"];
    return recording.resources.flatMap((resource): Row[] => {
        const { type, inputs } = resource;
        const short = type.replace("azure-native:", "");
        const properties = (inputs.properties ?? {}) as Readonly<Record<string, unknown>>;
        const isPublic = (inputs.publicNetworkAccess ?? properties.publicNetworkAccess) !== "Disabled";
        const name = nameOf(resource);
        switch (short) {
            case "storage:StorageAccount": {
                const { defaultAction, bypass } = inputs.networkRuleSet as { defaultAction: string; bypass: string };
                return [defaultAction === "Deny" ? [name, `trusted services (${bypass})`] : anybody(name)];
            }
            case "keyvault:Vault": {
                const { bypass } = properties.networkAcls as { bypass: string };
                return [isPublic ? anybody(name) : [name, `trusted services (${bypass})`]];
            }
            case "redisenterprise:RedisEnterprise":
            case "machinelearningservices:Workspace":
            case "machinelearningservices:OnlineEndpoint":
            case "containerregistry:Registry":
            case "web:WebApp":
                return isPublic ? [anybody(name)] : [];
            case "applicationinsights:Component":
            case "operationalinsights:Workspace":
                return ["publicNetworkAccessForIngestion", "publicNetworkAccessForQuery"].some((way) => inputs[way] !== "Disabled") ? [anybody(name)] : [];
            case "network:PrivateEndpoint":
                return [[name, "the network, by a private endpoint"]];
            case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
                return [[name, `the fixed address, ${text(inputs.ipProtocol)} ${text(inputs.fromPort)}`]];
            default:
                // A type that could be open and that no case above knows: the document cannot have it, and the test says so.
                return "publicNetworkAccess" in inputs || "publicNetworkAccess" in properties ? [[`${short} ${name}`, "unknown"]] : [];
        }
    });
}

/** What is secret, or would open something if it were known. */
export function secretsOf(recording: Recording): Row[] {
    const inputs = recording.resources.flatMap((resource) => resource.secrets.map((at): Row => [`${nameOf(resource)}: ${at}`]));
    const keys = recording
        .all("azure-native:storage:StorageAccount")
        .filter((account) => account.inputs.allowSharedKeyAccess !== false)
        .map((account): Row => [`${nameOf(account)}: shared keys`]);
    const redisKeys = recording.all("azure-native:redisenterprise:Database").filter((each) => each.inputs.accessKeysAuthentication !== "Disabled");
    const credentials = recording.resources.filter(({ type }) => /password|certificate|accessKey|secret:Secret$|ServicePrincipalPassword/i.test(type));
    const calls = recording.calls.filter(({ token }) => /list.*(Keys?|SAS|Secrets)$|getSecret/i.test(token)).map((call: Called): Row => [callOf(call)]);
    const outputs = Object.entries(recording.outputs).filter(([, { secret }]) => secret);
    return [
        ...inputs,
        ...keys,
        ...redisKeys.map((each): Row => [`${nameOf(each)}: access keys`]),
        ...credentials.map((each): Row => [`${each.type} ${nameOf(each)}`]),
        ...calls,
        ...outputs.map(([name]): Row => [`output ${name}`]),
    ];
}

/** Rows as lines, each with the stacks that have it. */
export function withStacks(rows: Readonly<Record<string, readonly Row[]>>): string[] {
    const stacks = new Map<string, string[]>();
    for (const [stack, each] of Object.entries(rows)) {
        for (const line of new Set(each.map((row) => row.join(" | ")))) {
            stacks.set(line, [...(stacks.get(line) ?? []), stack]);
        }
    }
    return [...stacks].map(([line, names]) => `${line} | ${names.join(", ")}`).sort();
}

function callOf({ token }: Called): string {
    return `call ${token.split(":").at(-1)}`;
}

function identityOf(principalId: unknown): string {
    return text(principalId).replace("principal-of-players-", "");
}

/** Logical name without the prefix. */
function nameOf({ name }: Recorded): string {
    return name.replace(/^players-?/, "");
}

/** The kind and name of what a role is given on. */
function placeOf(scope: unknown): string {
    const path = text(scope).replace(`${subscription}/resourceGroups/rg/providers/`, "");
    return path.replace(/^[^/]+\//, "").replaceAll("players-", "").replace("StorageAccount/players", "StorageAccount/").replace("Registry/players", "Registry/").replace("workspace-guid", "<workspace>");
}
