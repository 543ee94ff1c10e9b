import { describe, expect, it } from "vitest";
import { readStackSettings, StackSettingsError } from "../../infra/settings";
import { existing, faultsOf, full, read } from "./reading-settings";

describe("a stack without configuration", () => {
    it("is named in one line", () => {
        expect(() => readStackSettings({ [full("profile")]: "dev" }, "qa")).toThrow(
            new StackSettingsError(
                'stack "qa" is no environment of this project: no Pulumi.qa.yaml says where it is and what it reads; docs/environments.md tells how to add one',
            ),
        );
    });
});

describe("what is there already", () => {
    const network = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub";
    const subnets = {
        existingFunctionSubnetId: `${network}/subnets/functions`,
        existingEndpointSubnetId: `${network}/subnets/endpoints`,
        existingComputeSubnetId: `${network}/subnets/compute`,
    };
    const vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v";

    it("is taken", () => {
        expect(
            read({ ...subnets, network: "private", existingEgressAddress: "203.0.113.7", privateDnsZones: "skip", existingResourceGroup: "games" }),
        ).toMatchObject({
            existingResourceGroup: "games",
            network: {
                isPrivate: true,
                existingSubnets: {
                    functions: subnets.existingFunctionSubnetId,
                    endpoints: subnets.existingEndpointSubnetId,
                    compute: subnets.existingComputeSubnetId,
                    egressAddress: "203.0.113.7",
                },
                privateDnsZones: "skip",
            },
        });
        expect(read({ network: "nat", existingVirtualNetworkId: network }).network?.existingVirtualNetworkId).toBe(network);
        expect(read({ databaseAuth: "password", databasePassword: "x", existingKeyVaultId: vault }).existingKeyVaultId).toBe(vault);
    });

    it.each([
        ["a network where there is none", { existingVirtualNetworkId: network }, "existingVirtualNetworkId", network, "empty, since network is none"],
        [
            "a network beside its subnets",
            { ...subnets, network: "private", existingVirtualNetworkId: network },
            "existingVirtualNetworkId",
            network,
            "empty, since it follows from the existing subnets",
        ],
        [
            "some of the subnets",
            { ...subnets, network: "private", existingEndpointSubnetId: "" },
            "existingEndpointSubnetId",
            "",
            `the ARM id of a subnet, since ${full("existingFunctionSubnetId")} is set: the subnets go together`,
        ],
        [
            "a subnet that nothing is put in",
            { existingFunctionSubnetId: subnets.existingFunctionSubnetId, existingEndpointSubnetId: subnets.existingEndpointSubnetId, network: "nat" },
            "existingEndpointSubnetId",
            subnets.existingEndpointSubnetId,
            "empty, since network is nat",
        ],
        [
            "an address beside the program's own",
            { network: "nat", existingEgressAddress: "203.0.113.7" },
            "existingEgressAddress",
            "203.0.113.7",
            "empty, since the program makes the NAT gateway",
        ],
        ["zones without private endpoints", { network: "nat", privateDnsZones: "skip" }, "privateDnsZones", "skip", "empty, since network is nat"],
        ["a vault for no password", { existingKeyVaultId: vault }, "existingKeyVaultId", vault, "empty, since databaseAuth is iam"],
        [
            "one vault for two",
            { databaseAuth: "password", databasePassword: "x", existingKeyVaultId: vault, existingModelVaultId: vault },
            "existingModelVaultId",
            vault,
            "another vault than existingKeyVaultId: Azure ML administers the vault of its workspace",
        ],
        [
            "a vault for no workspace",
            { ...existing, existingModelVaultId: vault },
            "existingModelVaultId",
            vault,
            "empty, since existingScoringUri is set: no workspace is made",
        ],
    ])("is refused where it is %s", (_what, overrides, key, value, allowed) => {
        expect(faultsOf(overrides)).toEqual([`${full(key)} is ${JSON.stringify(value)}; allowed: ${allowed}`]);
    });
});

const tagsAllowed = 'a list of name=value texts, such as ["team=data-platform"], each name once and none of project, stack, profile';
const redisSizes =
    "one of Balanced_B0, Balanced_B1, Balanced_B3, Balanced_B5, Balanced_B10, Balanced_B20, MemoryOptimized_M10, MemoryOptimized_M20, " +
    "ComputeOptimized_X3, ComputeOptimized_X5, ComputeOptimized_X10, ComputeOptimized_X20";

describe("readStackSettings", () => {
    it("types the values", () => {
        expect(read()).toMatchObject({
            location: "koreacentral",
            awsRegion: "ap-northeast-2",
            namePrefix: "players",
            tags: { team: "data-platform", "cost-center": "game-analytics" },
            redisHighAvailability: false,
            functionMemoryMb: 512,
            network: undefined,
            sourcePrefix: "players/",
            databaseSignIn: { auth: "iam" },
            existingEndpoints: undefined,
            awsTokenAudience: undefined,
            driftPsiLimit: 0.2,
            driftUnseenLimit: 0.01,
            alertEmail: undefined,
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
        ["redisSku", "Balanced_B50", redisSizes],
        ["redisSku", "Balanced_B2", redisSizes],
        ["functionMemoryMb", "1024", "one of 512, 2048, 4096"],
        ["functionMaxInstances", "39", "a whole number from 40 to 1000"],
        ["functionMaxInstances", "40.5", "a whole number from 40 to 1000"],
        ["ingestSchedule", "15 3 * * *", "an NCRONTAB expression of six fields (second first), such as 0 15 3 * * *"],
        ["retrainSchedule", "weekly", "an NCRONTAB expression of six fields (second first), such as 0 15 3 * * *, or empty"],
        ["trainingFolder", "players/labelled/", "a folder of the lake's logs such as players/_labelled, without a slash at its ends, or empty"],
        ["trainingFolder", "players/../labelled", "a folder of the lake's logs such as players/_labelled, without a slash at its ends, or empty"],
        ["retrainSearchSeconds", "86401", "a whole number from 0 to 86400"],
        ["ingestSchedule", "0 61 3 * * *", "an NCRONTAB expression of six fields (second first), such as 0 15 3 * * *"],
        ["driftPsiLimit", "0", "a number above 0 and up to 100, such as 0.25"],
        ["driftPsiLimit", "high", "a number above 0 and up to 100, such as 0.25"],
        ["driftUnseenLimit", "1.5", "a number above 0 and up to 1, such as 0.25"],
        ["alertEmail", "on call", "an e-mail address, or empty"],
        ["sourceBucket", "Bucket_1", "the name of an S3 bucket"],
        ["sourcePrefix", "/players/", "a prefix without wildcards that ends in a slash and does not start with one, or empty"],
        ["sourcePrefix", "players/*", "a prefix without wildcards that ends in a slash and does not start with one, or empty"],
        ["databaseAuth", "token", "one of iam, password"],
        ["tags", '["team"]', tagsAllowed],
        ["tags", "team=a", tagsAllowed],
        ["tags", '["Profile=test"]', tagsAllowed],
        ["tags", '["team=a", "Team=b"]', tagsAllowed],
        ["awsTokenAudience", "abc", "an Application ID URI such as api://<client id>, or empty"],
        ["aws:region", "mars", "an AWS region such as ap-northeast-2"],
    ])("refuses %s %s", (key, value, allowed) => {
        expect(faultsOf({ [key]: value })).toEqual([`${full(key)} is ${JSON.stringify(value)}; allowed: ${allowed}`]);
    });

    it.each(["sourceBucket", "azure-native:location", "aws:region", "requestDeadlineMs"])("says that %s is missing", (key) => {
        expect(faultsOf({ [key]: undefined })).toEqual([expect.stringMatching(`^${full(key)} is missing; allowed: .+`)]);
    });

    it.each([
        ["profile", "staging", "one of dev, prod"],
        ["network", "public", "one of none, nat, private"],
        ["networkCidr", "8.8.0.0/22", "a private IPv4 range of /16 to /24 such as 10.40.0.0/22"],
        ["networkCidr", "10.1.2/22", "a private IPv4 range of /16 to /24 such as 10.40.0.0/22"],
        ["networkCidr", "10.999.0.0/22", "a private IPv4 range of /16 to /24 such as 10.40.0.0/22"],
        ["networkCidr", "172.32.0.0/22", "a private IPv4 range of /16 to /24 such as 10.40.0.0/22"],
        ["existingEgressAddress", "999.999.999.999", "an IPv4 address, or empty"],
        ["networkCidr", "10.40.0.0/26", "a private IPv4 range of /16 to /24 such as 10.40.0.0/22"],
        ["zoneRedundant", "1", "one of true, false"],
        ["existingResourceGroup", "a b", "the name of a resource group, or empty"],
        ["existingLogWorkspaceId", "logs", "the ARM id of a Log Analytics workspace, or empty"],
        ["databaseSecurityGroup", "default", "skip, the id of a security group such as sg-0123456789abcdef0, or empty"],
    ])("refuses %s %s in one line", (key, value, allowed) => {
        expect(faultsOf({ [key]: value })).toEqual([`${full(key)} is ${JSON.stringify(value)}; allowed: ${allowed}`]);
    });

    it("refuses a key that is none of the project's, such as a misspelt one", () => {
        expect(faultsOf({ ingestShedule: "0 0 4 * * *" })).toEqual([`${full("ingestShedule")} is no key of this project; allowed: those of Pulumi.yaml`]);
        expect(faultsOf({ "aws:profile": "studio" })).toEqual([]);
    });

    it("takes numbers without quotes where they are read as they are written", () => {
        const written = `config:\n  ${full("databaseName")}: 2026 # the season\n  ${full("requestDeadlineMs")}: 2e3\n  ${full("databaseUser")}: "007"\n`;
        const overrides = { databaseName: "2026", requestDeadlineMs: "2000", databaseUser: "007" };
        expect(read(overrides, "dev", written)).toMatchObject({ databaseName: "2026", requestDeadlineMs: 2000, databaseUser: "007" });
    });

    it.each([
        ["existingModelVersion", "1.10", "1.1", ""],
        ["databaseName", "0123", "83", ""],
        ["databaseName", "1e3", "1000", "  # the season"],
        ["namePrefix", "2026-10-01", "2026-10-01 00:00:00 +0000 UTC", ""],
        ["functionMaxInstances", "0100", "64", "\r"],
    ])("says of %s %s without quotes that it is read as %s", (key, text, value, after) => {
        const [misread] = faultsOf({ [key]: value, ...(key === "existingModelVersion" ? { ...existing, [key]: value } : {}) }, `config:\n    ${full(key)}: ${text}${after}\n`);
        expect(misread).toBe(`${full(key)} is ${text} without quotes, which YAML reads as a number; allowed: "${text}", or ${value}`);
    });

    it("refuses a password in plain text, and never shows it", () => {
        const overrides = { databaseAuth: "password", databasePassword: "hunter2" };
        expect(faultsOf(overrides, `config:\n  ${full("databasePassword")}: hunter2 # for now\n`)).toEqual([
            `${full("databasePassword")} stands in the stack's file in plain text; allowed: an encrypted value: pulumi config set --secret databasePassword, and another password`,
        ]);
        expect(faultsOf(overrides, `config:\n  ${full("databasePassword")}:\n    secure: v1:abc\n`)).toEqual([]);
        expect(faultsOf({}, `config:\n  ${full("databasePassword")}: ""\n`)).toEqual([]);
    });

    it("never shows a password that is a number", () => {
        expect(faultsOf({ databaseAuth: "password", databasePassword: "83" }, `config:\n  ${full("databasePassword")}: 0123\n`)[0]).toBe(
            `${full("databasePassword")} has a value without quotes, which YAML reads as a number; allowed: it in quotes`,
        );
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
            `${full("existingBatchUri")} is ""; allowed: a value, since ${full("existingScoringUri")} is set: the keys of an existing endpoint go together`,
            `${full("existingModelVersion")} is ""; allowed: a value, since ${full("existingScoringUri")} is set: the keys of an existing endpoint go together`,
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

    it("keeps no more instances ready than there may be", () => {
        expect(faultsOf({ functionMaxInstances: "40", functionAlwaysReady: "41" })).toEqual([
            `${full("functionAlwaysReady")} is "41"; allowed: at most functionMaxInstances (40)`,
        ]);
        expect(read({ functionMaxInstances: "40", functionAlwaysReady: "40" })).toMatchObject({ functionAlwaysReady: 40, functionMaxInstances: 40 });
    });
});
