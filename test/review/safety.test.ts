import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NotAPreviewError } from "../../review/change";
import { codeSpan, commentLimit, cutToLimit } from "../../review/markdown";
import { readPreview } from "../../review/read";
import { reviewOf } from "../../review/report";
import { digest, handlers, step, urnOf } from "./previews";

const ops = ["create", "update", "replace", "delete", "same", "refresh", "read", "import", "create-replacement", "delete-replaced"];
const types = [
    "azure-native:authorization:RoleAssignment",
    "azure-native:keyvault:Vault",
    "azure-native:network:NetworkSecurityGroup",
    "azure-native:redisenterprise:AccessPolicyAssignment",
    "azure-native:storage:StorageAccount",
    "azure-native:web:WebApp",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
];
const names = [
    "principalId", "scope", "roleDefinitionId", "user", "objectId", "assumeRolePolicy", "policy", "role", "url", "clientIdLists", "ingress", "cidrBlocks",
    "securityRules", "properties", "accessPolicies", "permissions", "networkRuleSet", "ipRules", "siteConfig", "appSettings", "name", "value", "INGEST_SCHEDULE",
];

/** Text that would do something on a page, if it were not quoted. */
const hostile = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.constantFrom("`", "``", "|", "\n", "<img src=x onerror=alert(1)>", "@everyone", "[a](b)", "#1", "\\", "-->", "*", "\u202e", "\ud800", "::", "$"), { maxLength: 8 }).map((parts) => parts.join("")),
);
const key = fc.oneof(fc.constantFrom(...names), hostile);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(hostile, fc.integer(), fc.boolean(), fc.constant(null), fc.constant("[secret]"), fc.constant("04da6b54-80e4-46f7-96ec-b56ff0331ba9")),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(key, tie("value"), { maxKeys: 5 }),
        tie("value").map((inner) => JSON.stringify(inner)),
    ),
}));
const inputs = fc.dictionary(key, value, { maxKeys: 5 });
const anyStep = fc
    .record({
        op: fc.constantFrom(...ops),
        type: fc.oneof(fc.constantFrom(...types), hostile.map((text) => `a:${text.replaceAll("::", "")}`)),
        name: hostile.map((text) => `n${text}`),
        before: fc.option(inputs, { nil: undefined }),
        after: fc.option(inputs, { nil: undefined }),
        replaceReasons: fc.array(key, { maxLength: 3 }),
    })
    .map((options) => step({ ...options, parents: handlers }));

/** What is left of a line when its code spans are taken out: https://spec.commonmark.org/0.31.2/#code-spans */
function outsideCode(line: string): string {
    let rest = "";
    let at = 0;
    for (const run of line.matchAll(/`+/g)) {
        if (run.index < at) {
            continue;
        }
        const end = [...line.slice(run.index + run[0].length).matchAll(/`+/g)].find(([other]) => other === run[0]);
        if (end === undefined) {
            return "an open code span";
        }
        rest += line.slice(at, run.index);
        at = run.index + run[0].length + end.index + end[0].length;
    }
    return rest + line.slice(at);
}

function harmless(markdown: string): void {
    const [marker = "", ...lines] = markdown.split("\n");
    expect(marker).toMatch(/^<!-- player-predictions preview [A-Za-z0-9._/-]* -->$/);
    for (const line of lines) {
        expect(outsideCode(line), line).toMatch(/^[A-Za-z0-9 ,.:;()*#'/>-]*$/);
    }
}

describe("whatever the names and values are", () => {
    it("the review is harmless Markdown within the limit", () => {
        fc.assert(
            fc.property(fc.array(anyStep, { maxLength: 6 }), (steps) => {
                const text = reviewOf(readPreview(digest(...steps)));
                expect(text.length).toBeLessThanOrEqual(commentLimit);
                harmless(text);
            }),
            { numRuns: 300 },
        );
    });

    it("a code span ends where its text ends", () => {
        fc.assert(
            fc.property(hostile, (text) => {
                expect(outsideCode(`before ${codeSpan(text)} after`)).toBe(text === "" ? "before *empty* after" : "before  after");
            }),
        );
    });

    it("any JSON is reviewed or refused with one line", () => {
        const plausible = fc.record({ steps: value, resourcePlans: value, diagnostics: value, changeSummary: value }, { requiredKeys: [] });
        fc.assert(
            fc.property(fc.oneof(value, plausible, fc.record({ steps: fc.array(fc.oneof(anyStep, value)) })), (json) => {
                try {
                    harmless(reviewOf(readPreview(JSON.stringify(json))));
                } catch (error) {
                    expect(error).toBeInstanceOf(NotAPreviewError);
                    expect((error as Error).message).toMatch(/^[^\n\r]+expected[^\n\r]+$/);
                }
            }),
            { numRuns: 300 },
        );
    });

    it("the limit holds, however long a line is", () => {
        fc.assert(
            fc.property(fc.array(fc.string({ maxLength: 400 }), { maxLength: 50 }), fc.integer({ min: 100, max: 3000 }), (lines, limit) => {
                expect(cutToLimit(lines, limit).length).toBeLessThanOrEqual(limit);
            }),
        );
    });
});

describe("secrets", () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9+/]{12,60}$/);
    const mark = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
    const forms: ((text: string) => unknown)[] = [
        (text) => ({ value: { ...mark, plaintext: JSON.stringify(text) } }),
        (text) => ({ value: { ...mark, plaintext: JSON.stringify({ deep: [text] }) }, elsewhere: `in ${text} here`, json: { note: `${text}` } }),
        (text) => ({ packageUri: `https://a.blob.core.windows.net/p/x.zip?sv=2024-01-01&sig=${encodeURIComponent(text)}&se=2027` }),
        (text) => ({ nested: JSON.stringify({ uri: `https://a/x?sig=${encodeURIComponent(text)}` }) }),
        (text) => ({ connection: `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${text}` }),
        (text) => ({ databaseUrl: `mysql://user:${text.replaceAll("/", "")}@host/db` }),
        (text) => ({ clientSecret: text }),
        (text) => ({ adminPassword: { value: text } }),
        (text) => ({ definition: JSON.stringify({ password: text, keys: [{ primaryKey: text }] }) }),
        (text) => ({ siteConfig: { appSettings: [{ name: "DATABASE_PASSWORD", value: text }, { name: "plain", value: "shown" }] } }),
        (text) => ({ header: `Authorization: Bearer ${text}` }),
    ];
    const app = { type: "azure-native:web:WebApp", name: "app", parents: handlers };

    it("never get out", () => {
        fc.assert(
            fc.property(secret, secret, fc.constantFrom(...forms), fc.constantFrom("create", "update", "replace", "delete"), (old, now, form, op) => {
                const replaceReasons = ["value", "clientSecret", "adminPassword", "packageUri", "nested", "siteConfig"];
                const digested = digest(step({ op, ...app, before: form(old) as Record<string, unknown>, after: form(now) as Record<string, unknown>, replaceReasons }));
                const plan = JSON.stringify({
                    resourcePlans: { [urnOf(app)]: { goal: { custom: true, inputDiff: { adds: form(old), updates: form(now) } }, steps: [op] } },
                });
                for (const text of [digested, plan].map((json) => reviewOf(readPreview(json)))) {
                    for (const each of [old, now]) {
                        expect(text).not.toContain(each);
                        expect(text).not.toContain(encodeURIComponent(each));
                    }
                }
            }),
            { numRuns: 500 },
        );
    });

    it("are said to be others where they are", () => {
        const text = reviewOf(
            readPreview(
                digest(
                    step({
                        op: "update",
                        ...app,
                        before: { password: "[secret]", reference: "@Microsoft.KeyVault(SecretUri=https://v/secrets/p/1)", token: "a" },
                        after: { password: "[secret]", reference: "@Microsoft.KeyVault(SecretUri=https://v/secrets/p/2)", token: "b" },
                        detailedDiff: { password: "update" },
                    }),
                ),
            ),
        );
        expect(text).toContain("  - `password`: *secret*, changed");
        expect(text).toContain("`@Microsoft.KeyVault(SecretUri=https://v/secrets/p/1)` -> `@Microsoft.KeyVault(SecretUri=https://v/secrets/p/2)`");
        expect(text).toContain("  - `token`: *masked* -> *masked*");
    });
});
