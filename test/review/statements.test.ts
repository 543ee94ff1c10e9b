import { describe, expect, it } from "vitest";
import { roles } from "../../infra/role-ids";
import { trustPolicy } from "../../infra/aws/policies";
import { readPreview } from "../../review/read";
import { reviewOf } from "../../review/report";
import { digest, handlers, lake, step, urnOf, type StepOptions } from "./previews";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const principal = "33333333-3333-4333-8333-333333333333";
const identity = { type: "azure-native:managedidentity:UserAssignedIdentity", name: "players-handlers" };
const container = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/blobServices/default/containers/predictions";
const assignment = { type: "azure-native:authorization:RoleAssignment", name: "players-handlers-logs-role", parents: handlers };

/** Lines under a heading. */
function under(heading: string, ...steps: readonly StepOptions[]): string[] {
    const sections = reviewOf(readPreview(digest(...steps.map(step)))).split("### ");
    const section = sections.find((each) => each.startsWith(`${heading}\n`)) ?? "";
    return section.split("\n").filter((line) => line.startsWith("- ")).map((line) => line.slice(2));
}

function role(of: keyof typeof roles, scope: unknown = container, principalId: unknown = principal) {
    return { roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${roles[of]}`, scope, principalId };
}

describe("roles", () => {
    const dependencies = { principalId: [urnOf(identity)], scope: [urnOf({ type: "azure-native:storage:BlobContainer", name: "players-lake-logs", parents: lake })] };

    it("that are given and taken", () => {
        expect(under("Access", { op: "create", ...assignment, after: role("storageBlobDataContributor"), dependencies })).toEqual([
            `identity \`players-handlers\` (object id \`${principal}\`) gains **Storage Blob Data Contributor** on container \`predictions\``,
        ]);
        expect(under("Access", { op: "delete", ...assignment, before: role("keyVaultSecretsUser"), dependencies })).toEqual([
            `identity \`players-handlers\` (object id \`${principal}\`) loses **Key Vault Secrets User** on container \`predictions\``,
        ]);
    });

    it("name the identity by what the file says of it, not by what the assignment was made of", () => {
        const [line] = under(
            "Access",
            { op: "update", ...identity, before: { tags: {} }, after: { tags: { a: "b" } }, outputs: { principalId: principal } },
            { op: "create", ...assignment, after: role("acrPull"), dependencies: { principalId: [urnOf({ ...identity, name: "another" })] } },
        );
        expect(line).toBe("identity `players-handlers` gains **AcrPull** on container `predictions`");
    });

    it("on what does not exist yet", () => {
        expect(under("Access", { op: "create", ...assignment, after: role("storageQueueDataReader", unknown, unknown), dependencies })).toEqual([
            "identity `players-handlers` gains **Storage Queue Data Reader** on container `players-lake-logs`",
        ]);
    });

    it("with a wider scope", () => {
        const steps = { op: "replace", ...assignment, before: role("storageBlobDataReader"), after: role("storageBlobDataReader", "/subscriptions/s"), dependencies };
        expect(under("Access", steps).map((line) => line.replace(/.*\) /, ""))).toEqual([
            "loses **Storage Blob Data Reader** on container `predictions`",
            "gains **Storage Blob Data Reader** on the whole subscription `s`",
        ]);
    });

    it("with a condition", () => {
        const when = "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'})))";
        const after = { ...role("storageBlobDataOwner"), condition: when };
        expect(under("Access", { op: "create", ...assignment, after, dependencies })).toEqual([
            `identity \`players-handlers\` (object id \`${principal}\`) gains **Storage Blob Data Owner** on container \`predictions\` when \`${when}\``,
        ]);
        expect(under("Access", { op: "update", ...assignment, before: after, after: role("storageBlobDataOwner"), dependencies })).toHaveLength(2);
    });

    it("that the project never gives", () => {
        const owner = { roleDefinitionId: "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635", scope: "/", principalId: principal };
        expect(under("Access", { op: "create", ...assignment, after: owner })).toEqual([`the principal (object id \`${principal}\`) gains **Owner** on everything there is (scope \`/\`)`]);
    });
});

describe("whom things run as", () => {
    const app = { type: "azure-native:web:WebApp", name: "players-handlers-app", parents: handlers };
    const id = (name: string): string => `/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
    const closed = { httpsOnly: true, publicNetworkAccess: "Disabled" };
    const as = (type: string, ...ids: unknown[]) => ({ ...closed, identity: { type, ...(ids.length === 0 ? {} : { userAssignedIdentities: ids }) } });
    const about = "function app `players-handlers-app`";

    it("is told where it changes", () => {
        expect(under("Access", { op: "update", ...app, before: as("UserAssigned", id("reader")), after: as("UserAssigned", id("owner")) })).toEqual([
            `${about} no longer runs as identity \`reader\``,
            `${about} now runs as identity \`owner\``,
        ]);
        expect(under("Access", { op: "update", ...app, before: as("UserAssigned", id("a")), after: as("SystemAssigned, UserAssigned", id("a")) })).toEqual([
            `${about} now runs as an identity of its own`,
        ]);
        expect(under("Access", { op: "update", ...app, before: as("SystemAssigned"), after: { ...closed, identity: { type: "None" } } })).toEqual([
            `${about} no longer runs as an identity of its own`,
        ]);
    });

    it("is told of an identity that does not exist yet", () => {
        const dependencies = { identity: [urnOf(identity)] };
        for (const after of [as("UserAssigned", unknown), { ...closed, identity: { type: "UserAssigned", userAssignedIdentities: unknown } }]) {
            expect(under("Access", { op: "create", ...app, after, dependencies })).toEqual([`${about} now runs as identity \`players-handlers\``]);
        }
    });
});

describe("AWS", () => {
    const trust = { providerArn: "arn:aws:iam::1:oidc-provider/p", issuer: "https://sts.windows.net/t/", audience: "api://a", subject: principal };
    const awsRole = { type: "aws:iam/role:Role", name: "players-aws-role", parents: ["player-predictions:aws:AwsAccess"] };

    it("trust that moves to another identity", () => {
        const lines = under("Access", {
            op: "update",
            ...awsRole,
            before: { assumeRolePolicy: trustPolicy(trust) },
            after: { assumeRolePolicy: trustPolicy({ ...trust, subject: "other" }) },
        });
        const trusted = (subject: string): string =>
            "`sts:AssumeRoleWithWebIdentity` for `arn:aws:iam::1:oidc-provider/p` when `sts.windows.net/t/:aud` `StringEquals` `api://a` and " +
            `\`sts.windows.net/t/:sub\` \`StringEquals\` \`${subject}\``;
        expect(lines).toEqual([
            `AWS role \`players-aws-role\` no longer trusts ${trusted(principal)}`,
            `AWS role \`players-aws-role\` now trusts ${trusted("other")}`,
        ]);
    });

    it("a permission more, and a statement in another order, which is no change", () => {
        const list = { Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::b" };
        const get = { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: ["arn:aws:s3:::b/*"] };
        const policy = (...statements: unknown[]) => ({ role: "players-aws-role", policy: JSON.stringify({ Version: "2012-10-17", Statement: statements }) });
        const rolePolicy = { type: "aws:iam/rolePolicy:RolePolicy", name: "players-aws-policy" };
        expect(under("Access", { op: "update", ...rolePolicy, before: policy({ ...get, Action: "s3:GetObject" }, list), after: policy(list, get) })).toEqual([
            "AWS role `players-aws-role` gains `s3:PutObject` on `arn:aws:s3:::b/*`",
        ]);
        expect(under("Access", { op: "create", ...rolePolicy, after: policy({ Effect: "Deny", NotAction: "s3:*", Resource: "*" }) })).toEqual([
            "AWS role `players-aws-role` gains a denial of everything but `s3:*` on `*`",
        ]);
    });

    it("an opened port", () => {
        const rule = { securityGroupId: "sg-1", ipProtocol: "tcp", fromPort: 3306, toPort: 3306, cidrIpv4: "0.0.0.0/0" };
        const type = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
        expect(under("Network", { op: "create", type, name: "database", after: rule })).toEqual([
            "security group ingress rule `database` opens `tcp` port `3306` to `3306` of security group `sg-1`, from `0.0.0.0/0`",
        ]);
    });
});

describe("network openings", () => {
    const account = { type: "azure-native:storage:StorageAccount", name: "playerslake", parents: lake };
    const closed = { publicNetworkAccess: "Disabled", allowSharedKeyAccess: false, networkRuleSet: { defaultAction: "Deny", bypass: "None", ipRules: [] } };

    it("are told where they change, a default as well", () => {
        const opened = { networkRuleSet: { defaultAction: "Allow", bypass: "None", ipRules: [{ iPAddressOrRange: "203.0.113.7" }] } };
        expect(under("Network", { op: "update", ...account, before: closed, after: opened })).toEqual([
            "storage account `playerslake`: public network access: `Disabled` -> `Enabled` (the default)",
            "storage account `playerslake`: firewall's default: `Deny` -> `Allow`",
            "storage account `playerslake` opens to `203.0.113.7`",
        ]);
        expect(under("Access", { op: "update", ...account, before: closed, after: opened })).toEqual([
            "storage account `playerslake`: access by account key: `false` -> `true` (the default)",
        ]);
    });

    it("are not told of something new that is closed", () => {
        expect(under("Network", { op: "create", ...account, after: closed })).toEqual([]);
        expect(under("Network", { op: "create", ...account, after: { ...closed, publicNetworkAccess: "Enabled" } })).toEqual([
            "storage account `playerslake`: public network access: `Enabled`",
        ]);
    });
});

describe("telemetry", () => {
    const insights = { type: "azure-native:applicationinsights:Component", name: "players-monitoring-insights" };
    const closed = { disableLocalAuth: true, publicNetworkAccessForIngestion: "Disabled", publicNetworkAccessForQuery: "Disabled" };

    it("that is taken from anywhere, or shown to anywhere, is told", () => {
        expect(under("Network", { op: "update", ...insights, before: closed, after: { ...closed, publicNetworkAccessForQuery: "Enabled" } })).toEqual([
            "Application Insights `players-monitoring-insights`: queries from public networks: `Disabled` -> `Enabled`",
        ]);
        expect(under("Network", { op: "update", ...insights, before: closed, after: { disableLocalAuth: true } })).toHaveLength(2);
    });
});

describe("schedules", () => {
    const app = { type: "azure-native:web:WebApp", name: "players-handlers-app", parents: handlers };
    const at = (value: string) => ({ publicNetworkAccess: "Disabled", httpsOnly: true, siteConfig: { appSettings: [{ name: "INGEST_SCHEDULE", value }] } });

    it("are told in words", () => {
        expect(under("Schedules", { op: "update", ...app, before: at("0 15 3 * * *"), after: at("0 0 */6 * * *") })).toEqual([
            "function app `players-handlers-app`: `INGEST_SCHEDULE`: `0 15 3 * * *` (at 03:15, every day, UTC) -> `0 0 */6 * * *` (on the hour, every 6 hours, every day, UTC)",
        ]);
        expect(under("Schedules", { op: "create", ...app, after: at("never | @all") })).toEqual(["function app `players-handlers-app`: `INGEST_SCHEDULE`: `never | @all`"]);
    });

    it("that are switched on or off are told so, whatever their expression says", () => {
        const on = at("0 15 3 * * *");
        const off = { ...on, siteConfig: { appSettings: [...on.siteConfig.appSettings, { name: "AzureWebJobs.ingest.Disabled", value: "1" }] } };
        const [place, daily, never] = ["function app `players-handlers-app`: `INGEST_SCHEDULE`:", "`0 15 3 * * *` (at 03:15, every day, UTC)", "off: it does not run by itself"];
        expect(under("Schedules", { op: "update", ...app, before: off, after: on })).toEqual([`${place} ${never} -> ${daily}`]);
        expect(under("Schedules", { op: "update", ...app, before: on, after: off })).toEqual([`${place} ${daily} -> ${never}`]);
        expect(under("Schedules", { op: "create", ...app, after: off })).toEqual([`${place} ${never}`]);
    });
});
