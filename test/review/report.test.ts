import { describe, expect, it } from "vitest";
import { readPreview } from "../../review/read";
import { reviewOf } from "../../review/report";
import { digest, handlers, lake, step, urnOf, type StepOptions } from "./previews";

const account = { type: "azure-native:storage:StorageAccount", name: "playerslake", parents: lake };
const container = { type: "azure-native:storage:BlobContainer", name: "players-lake-predictions", parents: lake };
const app = { type: "azure-native:web:WebApp", name: "players-handlers-app", parents: handlers };
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function review(...steps: readonly StepOptions[]): string {
    return reviewOf(readPreview(digest(...steps.map(step))));
}

function settings(values: Record<string, string>) {
    return { siteConfig: { appSettings: Object.entries(values).map(([name, value]) => ({ name, value })) } };
}

describe("changes by part", () => {
    it("are counted, and named under the folder that registers them", () => {
        const text = review(
            { op: "create", ...container, after: {} },
            { op: "create", ...container, name: "players-lake-logs", after: {} },
            { op: "update", ...app, before: settings({ A: "1" }), after: settings({ A: "2", B: "3" }) },
            { op: "delete", type: "azure-native:web:AppServicePlan", name: "old-plan", parents: handlers, before: {} },
            { op: "create", type: "azure-native:resources:ResourceGroup", name: "players-group", after: {} },
        );
        expect(text).toBe(
            [
                "<!-- player-predictions preview dev -->",
                "## Preview of `dev`",
                "",
                "1 deleted, 1 updated, 3 created.",
                "",
                "### the stack itself",
                "",
                "- created: resource group `players-group`",
                "",
                "### infra/handlers",
                "",
                "- deleted: app service plan `old-plan`: because the program does not register it any more",
                "- updated: function app `players-handlers-app`",
                "  - `siteConfig.appSettings.A`: `1` -> `2`",
                "  - `siteConfig.appSettings.B`: *nothing* -> `3`",
                "",
                "### infra/lake",
                "",
                "- created: container `players-lake-logs`, `players-lake-predictions`",
                "",
            ].join("\n"),
        );
    });

    it("leave out what is the same, read or the program's own bookkeeping", () => {
        const text = review(
            { op: "same", ...account, before: {}, after: {} },
            { op: "read", ...container, after: {} },
            { op: "create", type: "player-predictions:lake:Lake", name: "players-lake", after: {} },
            { op: "create", type: "pulumi:pulumi:Stack", name: "player-predictions-dev", after: {} },
            { op: "create", type: "pulumi:providers:aws", name: "default_7_48_0", after: {} },
        );
        expect(text).toContain("Nothing changes.");
        expect(text).not.toContain("created:");
    });

    it("tell a replacement once, in however many steps it comes", () => {
        const replaced = { ...container, before: { containerName: "a" }, after: { containerName: "b" }, replaceReasons: ["containerName"] };
        const text = review({ op: "create-replacement", ...replaced }, { op: "replace", ...replaced }, { op: "delete-replaced", ...replaced });
        expect(text).toContain("1 replaced.");
        expect(text.match(/^- replaced:/gm)).toHaveLength(1);
    });

    it("show what changed behind the stack's back", () => {
        const text = review({
            op: "update",
            ...account,
            before: { minimumTlsVersion: "TLS1_2" },
            after: { minimumTlsVersion: "TLS1_2" },
            outputs: { minimumTlsVersion: "TLS1_0" },
            detailedDiff: { minimumTlsVersion: "update" },
        });
        expect(text).toContain("  - `minimumTlsVersion`: `TLS1_0` -> `TLS1_2`");
    });

    it("say that a preview failed and is not whole", () => {
        const text = reviewOf(readPreview(JSON.stringify({ diagnostics: [{ severity: "error", message: "lake: no such SKU\n" }, { severity: "warning", message: "w" }] })));
        expect(text).toContain("### This preview failed: what follows is not all of it\n\n- `lake: no such SKU`");
        expect(text).not.toContain("`w`");
        expect(text).toContain("What changes is not known: the preview failed.");
    });

    it("tell a failure of several lines a line each, without its colours", () => {
        const message = "\u001b[31merror\u001b[0m: two settings\n  lakeSku is wrong\n";
        const text = reviewOf(readPreview(JSON.stringify({ diagnostics: [{ severity: "error", message }] })));
        expect(text).toContain("\n\n- `error: two settings`\n- `lakeSku is wrong`\n");
    });

    it("leave room for what is dangerous, however much failed", () => {
        const lost = JSON.parse(digest(step({ op: "delete", ...account, before: {} }))) as object;
        const diagnostics = Array.from({ length: 300 }, (_, index) => ({ severity: "error", message: `${index} `.repeat(80) }));
        const text = reviewOf(readPreview(JSON.stringify({ ...lost, diagnostics })));
        expect(text).toContain("and 270 more lines: the log of the preview has them");
        expect(text).toContain("storage account `playerslake` (infra/lake) is **deleted**");
    });
});

describe("data that is lost", () => {
    it("is known by a type with its API version, too", () => {
        const text = review({ op: "delete", ...account, type: "azure-native:storage/v20240101:StorageAccount", before: {} });
        expect(text).toContain("storage account `playerslake` (infra/lake) is **deleted**");
    });

    it("stands on top, with the property that causes it", () => {
        const text = review(
            { op: "update", ...app, before: settings({ A: "1" }), after: settings({ A: "2" }) },
            { op: "replace", ...account, before: { location: "koreacentral" }, after: { location: "koreasouth" }, replaceReasons: ["location"], protect: [true, true] },
        );
        const [, section = ""] = text.split("### ");
        expect(section).toBe(
            "Data that is lost\n\n- storage account `playerslake` (infra/lake) is **replaced**: all its containers, queues and tables. " +
                "Because of `location` (`koreacentral` -> `koreasouth`). It is protected: the update refuses to.\n\n",
        );
    });

    it("names the nested property, and the replaced resource that it follows from", () => {
        const text = review(
            { op: "replace", ...account, before: { sku: { name: "Standard_LRS" } }, after: { sku: { name: "Premium_LRS" } }, replaceReasons: ["sku"], detailedDiff: { "sku.name": "update-replace" } },
            {
                op: "replace",
                ...container,
                before: { accountName: "playerslake1" },
                after: { accountName: unknown },
                replaceReasons: ["accountName"],
                dependencies: { accountName: [urnOf(account)] },
            },
        );
        expect(text).toContain("Because of `sku.name` (`Standard_LRS` -> `Premium_LRS`).");
        expect(text).toContain("Because of `accountName` (`playerslake1` -> *known after the update*), since storage account `playerslake` is replaced.");
    });

    it("knows a rename, a copy left over, and what stays when the program leaves it", () => {
        const text = review(
            { op: "delete", ...container, before: {} },
            { op: "create", ...container, name: "renamed", after: {} },
            { op: "delete", ...account, before: {}, leftOver: true },
            { op: "delete", type: "azure-native:keyvault:Vault", name: "kept", before: {}, retained: true },
        );
        expect(text).toContain("container `renamed` is new: if it is the same under another name, an alias keeps the data");
        expect(text).toContain("it was left over from a replacement that did not finish");
        expect(text).toContain("- no longer managed (it stays as it is): Key Vault `kept`");
        expect(text.split("### ")[1]).not.toContain("kept");
    });

    it("tells where protection ends, even if nothing else changes", () => {
        const text = review({ op: "same", ...account, before: {}, after: {}, protect: [true, false] });
        expect(text).toContain("### Protection that ends\n\n- storage account `playerslake` may be deleted by the next update");
    });
});

describe("a long preview", () => {
    it("is cut to what GitHub takes, with the dangerous part kept and the rest counted", () => {
        const many = Array.from({ length: 3000 }, (_, i) => ({ op: "update", ...app, name: `app-${i}`, before: settings({ A: "1" }), after: settings({ A: "2" }) }));
        const text = review(...many, { op: "delete", ...account, before: {} });
        expect(text.length).toBeLessThanOrEqual(65_536);
        expect(text.length).toBeGreaterThan(65_000);
        expect(text).toContain("storage account `playerslake` (infra/lake) is **deleted**");
        expect(text).toMatch(/\*\*Cut:\*\* \d+ of 60\d\d lines are left out to stay within 65536 characters\.\n$/);
    });
});

describe("the same preview", () => {
    it("gives the same text in whatever order the engine told of the resources", () => {
        const steps = [
            { op: "create", ...container, after: {} },
            { op: "update", ...app, before: settings({ A: "1" }), after: settings({ A: "2" }) },
            { op: "delete", ...account, before: {} },
        ];
        expect(review(...steps.toReversed())).toBe(review(...steps));
    });
});
