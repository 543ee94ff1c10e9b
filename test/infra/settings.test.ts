import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readStackSettings, settingKeys, StackSettingsError } from "../../infra/settings";
import { stackConfig } from "./recording";

interface Declared {
    readonly type: string;
    readonly default?: unknown;
    readonly description: string;
}

const projectDir = path.resolve(__dirname, "..", "..");
const declared = (parse(readFileSync(path.join(projectDir, "Pulumi.yaml"), "utf8")) as { config: Record<string, Declared> }).config;

function read(overrides: Record<string, string | undefined> = {}, stack = "dev") {
    const config = { ...stackConfig(stack), ...Object.fromEntries(Object.entries(overrides).map(([key, value]) => [full(key), value])) };
    return readStackSettings((key) => config[key]);
}

function full(key: string): string {
    return key.includes(":") ? key : `player-predictions:${key}`;
}

function faultsOf(overrides: Record<string, string | undefined>): string[] {
    try {
        read(overrides);
    } catch (error) {
        expect(error).toBeInstanceOf(StackSettingsError);
        return (error as Error).message.split("\n");
    }
    return [];
}

const existing = {
    existingScoringUri: "https://online.example.com/score",
    existingScoringDeployment: "blue",
    existingBatchUri: "https://batch.example.com/jobs",
    existingBatchDeployment: "green",
    existingOutputDatastore: "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/d",
    existingModelVersion: "2026.1",
};

describe("Pulumi.yaml", () => {
    it("declares exactly the keys that the program reads", () => {
        expect(Object.keys(declared).sort()).toEqual([...settingKeys].sort());
    });

    it("gives each a type that the engine knows and a description", () => {
        for (const [key, { type, description }] of Object.entries(declared)) {
            expect(["string", "integer", "boolean", "array"], key).toContain(type);
            expect(description, key).toMatch(/\.$/);
        }
    });

    it("has defaults that the program takes, and leaves only what a studio must say", () => {
        expect(Object.keys(declared).filter((key) => declared[key]?.default === undefined)).toEqual([
            "sourceBucket",
            "databaseInstance",
            "databaseName",
            "databaseUser",
        ]);
        expect(() => read()).not.toThrow();
    });
});

describe("the stacks' files", () => {
    it.each(["dev", "local"])("%s holds no secret and no unknown key", (stack) => {
        const { config } = parse(readFileSync(path.join(projectDir, `Pulumi.${stack}.yaml`), "utf8")) as { config: Record<string, unknown> };
        expect(config).not.toHaveProperty(full("databasePassword"));
        const known = new Set([...settingKeys.map(full), "azure-native:location", "aws:region"]);
        expect(Object.keys(config).filter((key) => !known.has(key))).toEqual([]);
    });
});

describe("readStackSettings", () => {
    it("types the values", () => {
        expect(read()).toMatchObject({
            location: "koreacentral",
            awsRegion: "ap-northeast-2",
            namePrefix: "players",
            tags: { team: "data-platform", "cost-center": "game-analytics" },
            redisHighAvailability: false,
            functionMemoryMb: 2048,
            sourcePrefix: "players/",
            databaseSignIn: { auth: "iam" },
            existingEndpoints: undefined,
            awsTokenAudience: undefined,
        });
    });

    it("takes an empty prefix, existing endpoints, an existing audience and an existing provider", () => {
        const awsOidcProviderArn = "arn:aws:iam::123456789012:oidc-provider/sts.windows.net/22222222-2222-4222-8222-222222222222/";
        expect(read({ sourcePrefix: "", ...existing, awsTokenAudience: "api://x", awsOidcProviderArn })).toMatchObject({
            sourcePrefix: "",
            existingEndpoints: existing,
            awsTokenAudience: "api://x",
            awsOidcProviderArn,
        });
    });

    it.each([
        ["namePrefix", "Players", "2 to 9 lower-case letters and digits, a letter first"],
        ["namePrefix", "abcdefghij", "2 to 9 lower-case letters and digits, a letter first"],
        ["lakeSku", "Premium_LRS", "one of Standard_LRS, Standard_ZRS, Standard_GRS, Standard_GZRS"],
        ["redisHighAvailability", "yes", "one of true, false"],
        ["functionMemoryMb", "1024", "one of 512, 2048, 4096"],
        ["functionMaxInstances", "39", "a whole number from 40 to 1000"],
        ["functionMaxInstances", "40.5", "a whole number from 40 to 1000"],
        ["ingestSchedule", "15 3 * * *", "an NCRONTAB expression of six fields (second first), such as 0 15 3 * * *"],
        ["ingestSchedule", "0 61 3 * * *", "an NCRONTAB expression of six fields (second first), such as 0 15 3 * * *"],
        ["sourceBucket", "Bucket_1", "the name of an S3 bucket"],
        ["sourcePrefix", "/players/", "a prefix without wildcards that ends in a slash and does not start with one, or empty"],
        ["sourcePrefix", "players/*", "a prefix without wildcards that ends in a slash and does not start with one, or empty"],
        ["databaseAuth", "token", "one of iam, password"],
        ["tags", '["team"]', 'a list of name=value texts, such as ["team=data-platform"]'],
        ["tags", "team=a", 'a list of name=value texts, such as ["team=data-platform"]'],
        ["awsTokenAudience", "abc", "an Application ID URI such as api://<client id>, or empty"],
        ["aws:region", "mars", "an AWS region such as ap-northeast-2"],
    ])("refuses %s %s", (key, value, allowed) => {
        expect(faultsOf({ [key]: value })).toEqual([`${full(key)} is ${JSON.stringify(value)}; allowed: ${allowed}`]);
    });

    it.each(["sourceBucket", "azure-native:location", "aws:region", "functionMemoryMb"])("says that %s is missing", (key) => {
        expect(faultsOf({ [key]: undefined })).toEqual([expect.stringMatching(`^${full(key)} is missing; allowed: .+`)]);
    });

    it("names all faults at once", () => {
        expect(faultsOf({ lakeSku: "x", requestDeadlineMs: "1", databaseUser: "" })).toEqual([
            expect.stringContaining(full("lakeSku")),
            expect.stringContaining(full("databaseUser")),
            expect.stringContaining(full("requestDeadlineMs")),
        ]);
    });

    it("takes the existing endpoints all or none", () => {
        expect(faultsOf({ ...existing, existingBatchUri: "", existingModelVersion: "" })).toEqual([
            `${full("existingBatchUri")} is ""; allowed: a value, since ${full("existingScoringUri")} is set: the existing* keys go together`,
            `${full("existingModelVersion")} is ""; allowed: a value, since ${full("existingScoringUri")} is set: the existing* keys go together`,
        ]);
    });

    it("asks for a password where it is used, refuses one where it is not, and never shows it", () => {
        expect(faultsOf({ databaseAuth: "password" })).toEqual([
            `${full("databasePassword")} is ""; allowed: a secret text, since databaseAuth is password: pulumi config set --secret databasePassword`,
        ]);
        expect(faultsOf({ databasePassword: "hunter2" })).toEqual([`${full("databasePassword")} has a value; allowed: empty, since databaseAuth is iam`]);
    });

    it("keeps predictions for no shorter than they are fresh", () => {
        expect(faultsOf({ predictionFreshSeconds: "7200", batchFreshSeconds: "9000", predictionKeepSeconds: "3600" })).toEqual([
            `${full("predictionKeepSeconds")} is "3600"; allowed: at least predictionFreshSeconds (7200)`,
            `${full("predictionKeepSeconds")} is "3600"; allowed: at least batchFreshSeconds (9000)`,
        ]);
    });
});
