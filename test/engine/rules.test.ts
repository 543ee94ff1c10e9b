import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ruledTypes, ruleOf } from "../../local/cloud/replacement";
import { changesOf } from "../../local/engine/changes";
import { findPulumi, PulumiCliError } from "../../local/engine/cli";
import { deletesFirst, withDefaults } from "../../local/engine/defaults";

const account = ruleOf("azure-native:storage:StorageAccount");
const secret = (value: unknown) => ({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value });
const asset = (hash: string, file: string) => ({ "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", hash, path: file });

describe("changes", () => {
    test("are named by the path of what differs, and replace where the table says so", () => {
        const before = { accountName: "one", location: "a", sku: { name: "LRS" }, tags: { "cost-center": "1" }, list: [1, { x: 1 }] };
        const after = { accountName: "one", location: "b", sku: { name: "ZRS", tier: "S" }, tags: {}, list: [1, { x: 2 }, 3] };
        expect(changesOf(account, before, after)).toEqual([
            { path: "location", kind: "update", replaces: true },
            { path: "sku.name", kind: "update", replaces: false },
            { path: "sku.tier", kind: "add", replaces: false },
            { path: 'tags["cost-center"]', kind: "delete", replaces: false },
            { path: "list[1].x", kind: "update", replaces: false },
            { path: "list[2]", kind: "add", replaces: false },
        ]);
    });

    test("are none in the mark of a secret, the place of an asset's file or the provider's own notes", () => {
        const blob = ruleOf("azure-native:storage:Blob");
        expect(changesOf(blob, { a: "1", source: asset("h", "/one"), __note: 1 }, { a: secret("1"), source: asset("h", "/two"), __note: 2 })).toEqual([]);
        expect(changesOf(blob, { a: secret("1"), source: asset("h", "/one") }, { a: secret("2"), source: asset("i", "/one") })).toEqual([
            { path: "a", kind: "update", replaces: false },
            { path: "source", kind: "update", replaces: true },
        ]);
    });

    test.each([
        ["machinelearningservices:OnlineDeployment", "properties.instanceType", true],
        ["machinelearningservices:OnlineDeployment", "properties.model", false],
        ["machinelearningservices:EnvironmentVersion", "properties.condaFile", true],
        ["machinelearningservices:EnvironmentVersion", "properties.image", true],
        ["machinelearningservices:EnvironmentVersion", "properties.description", false],
        ["machinelearningservices:ModelVersion", "properties.modelUri", false],
        ["machinelearningservices:Workspace", "keyVault", true],
        ["machinelearningservices:Compute", "properties.properties.vmSize", false],
        ["network:PublicIPAddress", "sku.name", true],
        ["network:PrivateEndpoint", "subnet.id", true],
        ["storage:StorageAccount", "isHnsEnabled", true],
        ["storage:StorageAccount", "sku.name", false],
        ["web:WebApp", "kind", true],
        ["redisenterprise:Database", "port", true],
    ])("of %s in %s replace it: %s", (type, at, replaces) => {
        const input = (value: unknown): Record<string, unknown> => at.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;
        expect(changesOf(ruleOf(`azure-native:${type}`), input("one"), input("two"))).toEqual([{ path: at, kind: "update", replaces }]);
    });
});

describe("defaults", () => {
    const checked = { urn: "urn:pulumi:local::p::t::lake", name: "lake", randomSeed: Buffer.from("seed"), before: {}, inputs: {}, location: "here" };

    test("name a new resource at random, keep the name of an old one, and let it stand beside the one that replaces it", () => {
        const made = withDefaults(account, checked);
        expect(made).toMatchObject({ accountName: expect.stringMatching(/^lake[0-9a-f]{8}$/) as string, location: "here" });
        expect(deletesFirst(account, made)).toBe(false);
        expect(withDefaults(account, { ...checked, before: made, randomSeed: Buffer.from("other"), location: "there" })).toEqual(made);
        expect(withDefaults(account, { ...checked, randomSeed: Buffer.from("other") }).accountName).not.toBe(made.accountName);
    });

    test("leave what the program names, which goes before another of its name comes", () => {
        const made = withDefaults(account, { ...checked, inputs: { accountName: "mine", location: "x" } });
        expect(made).toEqual({ accountName: "mine", location: "x" });
        expect(deletesFirst(account, made)).toBe(true);
    });
});

test("every type has the inputs of its own address among those that replace it", () => {
    for (const type of ruledTypes) {
        const { nameInput, replacedBy } = ruleOf(type);
        expect(replacedBy).toEqual(expect.arrayContaining(nameInput === undefined ? [] : [nameInput]));
    }
    expect(() => ruleOf("azure-native:x:Y")).toThrow(/azure-native:x:Y.*replacement\.ts/);
});

test("without a CLI one line says how to get it", async () => {
    const nowhere = path.join(tmpdir(), "not-there");
    await expect(findPulumi({ PATH: nowhere, XDG_CACHE_HOME: nowhere })).rejects.toThrow(PulumiCliError);
    await expect(findPulumi({ PATH: nowhere, XDG_CACHE_HOME: nowhere })).rejects.toThrow(/^.*scripts\/pulumi-cli\.sh.*$/);
});
