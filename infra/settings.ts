import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { contradictions, existingKeys, fault, fullKey, misread, plainSecrets, unknownKeys } from "./setting-faults";
import { armId, decimal, flag, integer, list, ncrontab, oneOf, optional, optionalAddress, optionalNcrontab, privateRange, tags, text } from "./setting-types";
import { writtenInPlain, writtenNumbers } from "./written-values";

/** Keys of the providers' own configuration that the program reads as well. */
const providerKeys = { location: "azure-native:location", region: "aws:region" } as const;

const vmSize = text(/^Standard_[A-Za-z0-9_]+$/, "an Azure VM size such as Standard_F4s_v2");
const httpsUri = optional(/^https:\/\/[^\s?#]+$/, "an https:// address without a query, or empty");
const deployment = optional(/^[A-Za-z][A-Za-z0-9-]{2,31}$/, "a deployment's name (3 to 32 letters, digits and hyphens, a letter first), or empty");

/** Sizes of up to 25 GB, which is as much as takes data that is not sharded: https://learn.microsoft.com/azure/redis/architecture#cluster-policies */
const redisSkus = [
    ...(["Balanced_B0", "Balanced_B1", "Balanced_B3", "Balanced_B5", "Balanced_B10", "Balanced_B20"] as const),
    ...(["MemoryOptimized_M10", "MemoryOptimized_M20"] as const),
    ...(["ComputeOptimized_X3", "ComputeOptimized_X5", "ComputeOptimized_X10", "ComputeOptimized_X20"] as const),
] as const;

const storageSku = oneOf(["Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_GZRS"]);
const subnetId = armId("Microsoft.Network/virtualNetworks/subnets", "a subnet");
const vaultId = armId("Microsoft.KeyVault/vaults", "a Key Vault");

/**
 * What the profiles say of the keys that a stack leaves empty: `dev` is the cheapest, `prod` stays up when a machine or a zone fails, and
 * keeps what it holds. A stack takes one and may say otherwise key by key.
 */
export const profiles = {
    dev: {
        lakeSku: "Standard_LRS",
        runtimeSku: "Standard_LRS",
        zoneRedundant: "false",
        protectData: "false",
        network: "none",
        logRetentionDays: "30",
        redisSku: "Balanced_B0",
        redisHighAvailability: "false",
        functionMemoryMb: "512",
        functionMaxInstances: "40",
        functionAlwaysReady: "0",
        onlineInstanceType: "Standard_F2s_v2",
        onlineInstanceCount: "1",
        onlineMaxConcurrentRequests: "2",
        batchVmSize: "Standard_D2s_v3",
        batchMaxNodes: "1",
        batchWorkersPerNode: "2",
    },
    prod: {
        lakeSku: "Standard_ZRS",
        runtimeSku: "Standard_ZRS",
        zoneRedundant: "true",
        protectData: "true",
        network: "private",
        logRetentionDays: "90",
        redisSku: "Balanced_B5",
        redisHighAvailability: "true",
        functionMemoryMb: "2048",
        functionMaxInstances: "100",
        functionAlwaysReady: "2",
        onlineInstanceType: "Standard_F4s_v2",
        onlineInstanceCount: "2",
        onlineMaxConcurrentRequests: "4",
        batchVmSize: "Standard_D4s_v3",
        batchMaxNodes: "4",
        batchWorkersPerNode: "4",
    },
} as const;

/** Every key of the stack's configuration, as text on the way in. Pulumi.yaml holds the types, defaults and descriptions for people. */
const schema = z.object({
    profile: oneOf(["dev", "prod"]),
    namePrefix: text(/^[a-z][a-z0-9]{1,8}$/, "2 to 9 lower-case letters and digits, a letter first"),
    tags,
    lakeSku: storageSku,
    runtimeSku: storageSku,
    zoneRedundant: flag,
    protectData: flag,
    network: oneOf(["none", "nat", "private"]),
    networkCidr: privateRange(),
    existingResourceGroup: optional(/^[\w.()-]{1,89}[\w()-]$/, "the name of a resource group, or empty"),
    existingVirtualNetworkId: armId("Microsoft.Network/virtualNetworks", "a virtual network"),
    existingFunctionSubnetId: subnetId,
    existingEndpointSubnetId: subnetId,
    existingComputeSubnetId: subnetId,
    existingEgressAddress: optionalAddress(),
    privateDnsZones: optional(
        /^(skip|\/subscriptions\/[^/]+\/resourceGroups\/[^/]+)$/i,
        "skip, the ARM id of the resource group that has the zones, or empty",
    ),
    existingLogWorkspaceId: armId("Microsoft.OperationalInsights/workspaces", "a Log Analytics workspace"),
    existingKeyVaultId: vaultId,
    existingModelVaultId: vaultId,
    logRetentionDays: integer(30, 730),
    redisSku: oneOf(redisSkus),
    redisHighAvailability: flag,
    functionMemoryMb: oneOf(["512", "2048", "4096"]).transform(Number),
    functionMaxInstances: integer(40, 1000),
    functionAlwaysReady: integer(0, 100),
    ingestSchedule: ncrontab,
    reconcileSchedule: ncrontab,
    driftSchedule: ncrontab,
    driftPsiLimit: decimal(100),
    driftUnseenLimit: decimal(1),
    alertEmail: optional(/^[^\s@<>,;]{1,64}@[^\s@<>,;]{1,255}$/, "an e-mail address, or empty"),
    retrainSchedule: optionalNcrontab,
    trainingFolder: optional(/^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[^\\]{1,1000}$/, "a folder of the lake's logs such as players/_labelled, without a slash at its ends, or empty"),
    retrainSearchSeconds: integer(0, 86_400),
    sourceBucket: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of an S3 bucket"),
    sourcePrefix: optional(/^[A-Za-z0-9!_.()='-][A-Za-z0-9!_.()='/-]*\/$/, "a prefix without wildcards that ends in a slash and does not start with one, or empty"),
    databaseInstance: text(/^[A-Za-z](-?[A-Za-z0-9])*$/, "the identifier of an RDS instance"),
    databaseName: text(/^[A-Za-z0-9_$-]{1,64}$/, "the name of a MySQL database"),
    databaseUser: text(/^[A-Za-z0-9_.-]{1,32}$/, "the name of a MySQL user, at most 32 characters"),
    databaseAuth: oneOf(["iam", "password"]),
    databasePassword: optional(/^.+$/s, "a text"),
    databaseSecurityGroup: optional(/^(skip|sg-[0-9a-f]{8,17})$/, "skip, the id of a security group such as sg-0123456789abcdef0, or empty"),
    modelFolder: text(/\S/, "a folder, from the project's folder"),
    keptModelFolders: list(/\S/, "a list of folders, from the project's folder"),
    challengerFolder: optional(/\S/, "a folder, from the project's folder, or empty"),
    challengerMode: oneOf(["shadow", "share"]),
    challengerPercent: integer(0, 100),
    recordPercent: integer(0, 100),
    onlineInstanceType: vmSize,
    onlineInstanceCount: integer(1, 20),
    onlineMaxConcurrentRequests: integer(1, 100),
    onlineRequestTimeoutSeconds: integer(1, 180),
    onlineBatchPlayers: integer(1, 10_000),
    batchVmSize: vmSize,
    batchMaxNodes: integer(1, 50),
    batchWorkersPerNode: integer(1, 64),
    existingScoringUri: httpsUri,
    existingScoringDeployment: deployment,
    existingBatchUri: httpsUri,
    existingBatchDeployment: deployment,
    existingOutputDatastore: armId("Microsoft.MachineLearningServices/workspaces/datastores", "an Azure ML datastore"),
    existingModelVersion: optional(/^[A-Za-z0-9._-]{1,17}$/, "1 to 17 letters, digits, dots, hyphens and underscores, or empty"),
    awsTokenAudience: optional(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/\S+$/, "an Application ID URI such as api://<client id>, or empty"),
    awsOidcProviderArn: optional(
        /^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/sts\.windows\.net\/[0-9a-f-]{36}\/$/,
        "the ARN of the IAM OIDC provider of https://sts.windows.net/<tenant>/, or empty",
    ),
    predictionFreshSeconds: integer(1, 604_800),
    batchFreshSeconds: integer(1, 604_800),
    predictionKeepSeconds: integer(1, 31_536_000),
    hotPlayers: integer(0, 1_000_000),
    hotPlayersTtlMs: integer(1, 2_000),
    requestDeadlineMs: integer(100, 200_000),
    [providerKeys.location]: text(/^[A-Za-z0-9 ]+$/, "an Azure region such as koreacentral"),
    [providerKeys.region]: text(/^[a-z]{2}(-[a-z]+)+-\d$/, "an AWS region such as ap-northeast-2"),
});

/** The values key by key, each checked for itself. */
export type Values = z.output<typeof schema>;

/** Endpoints that are there already: only their addresses are wired. */
export type ExistingEndpoints = { readonly [key in (typeof existingKeys)[number]]: string };

/** How the handlers sign in to MySQL. */
export type DatabaseSignIn = { readonly auth: "iam" } | { readonly auth: "password"; readonly password: pulumi.Output<string> };

/** The network that the handlers are in. */
export interface NetworkSettings {
    /** Whether the stack's services are reached by private endpoints, and their firewalls closed. */
    readonly isPrivate: boolean;
    /** Addresses of the subnets that the program makes. */
    readonly cidr: string;
    readonly existingVirtualNetworkId: string | undefined;
    /** Subnets that are there already, with their way out. */
    readonly existingSubnets:
        | { readonly functions: string; readonly endpoints: string | undefined; readonly compute: string | undefined; readonly egressAddress: string | undefined }
        | undefined;
    /** `skip`, or the ARM id of the resource group that has the zones. */
    readonly privateDnsZones: string | undefined;
}

type Grouped = (typeof existingKeys)[number] | "databaseAuth" | "databasePassword" | "sourcePrefix" | "network" | NetworkKey | `${string}:${string}`;
type NetworkKey =
    | "networkCidr"
    | "existingVirtualNetworkId"
    | "existingFunctionSubnetId"
    | "existingEndpointSubnetId"
    | "existingComputeSubnetId"
    | "existingEgressAddress"
    | "privateDnsZones";

/** The stack's configuration, checked and typed. What each means is said in Pulumi.yaml. */
export interface StackSettings extends Readonly<Omit<Values, Grouped>> {
    /** Azure region of everything on Azure. */
    readonly location: string;
    /** AWS region of the bucket and the database. */
    readonly awsRegion: string;
    /** Empty for the whole bucket. */
    readonly sourcePrefix: string;
    readonly databaseSignIn: DatabaseSignIn;
    /** Undefined where the handlers are in none. */
    readonly network: NetworkSettings | undefined;
    /** Undefined where the program deploys the models itself. */
    readonly existingEndpoints: ExistingEndpoints | undefined;
}

/** The keys of the project's own configuration, for a check against Pulumi.yaml. */
export const settingKeys = Object.keys(schema.shape).filter((key) => !key.includes(":"));

/** The stack's configuration is wrong. Holds a line a fault, and the engine shows these alone. */
export class StackSettingsError extends pulumi.RunError {
    override readonly name = "StackSettingsError";
}

/**
 * Reads the configuration of the current stack.
 *
 * @param config every value that the engine has, by its full key
 * @param written values that stand as numbers in the stack's file, by their full key
 * @param plain keys whose values stand in the stack's file for everybody to read, by their full key
 * @throws StackSettingsError with all faults at once, each a line that names the key, the value and what is allowed
 */
export function readStackSettings(
    config: Readonly<Record<string, string>> = pulumi.runtime.allConfig(),
    stack: string = pulumi.getStack(),
    written: ReadonlyMap<string, string> = writtenNumbers(stack),
    plain: ReadonlySet<string> = writtenInPlain(stack),
): StackSettings {
    const given = Object.fromEntries(Object.keys(schema.shape).map((key) => [key, config[fullKey(key)]]));
    if (Object.values(providerKeys).every((key) => given[key] === undefined) && given.sourceBucket === undefined) {
        throw new StackSettingsError(
            `stack ${JSON.stringify(stack)} is no environment of this project: no Pulumi.${stack}.yaml says where it is and what it reads; docs/environments.md tells how to add one`,
        );
    }
    const raw = { ...given, ...profileOf(given) };
    const parsed = schema.safeParse(raw);
    const faults = [
        ...unknownKeys(config, settingKeys),
        ...misread(raw, written, parsed.data),
        ...plainSecrets(Object.keys(raw), plain),
        ...(parsed.success ? contradictions(parsed.data) : parsed.error.issues.map(({ path: [key], message }) => fault(String(key), raw[String(key)], message))),
    ];
    if (!parsed.success || faults.length > 0) {
        throw new StackSettingsError(faults.join("\n"));
    }
    return settingsOf(parsed.data);
}

/** What the stack's profile says of the keys that the stack leaves empty. */
function profileOf(given: Readonly<Record<string, string | undefined>>): Record<string, string> {
    const profile = schema.shape.profile.safeParse(given.profile);
    if (!profile.success) {
        throw new StackSettingsError(fault("profile", given.profile, profile.error.issues[0]?.message ?? ""));
    }
    return Object.fromEntries(Object.entries(profiles[profile.data]).filter(([key]) => (given[key] ?? "") === ""));
}

function settingsOf(values: Values): StackSettings {
    const { databaseAuth, databasePassword, sourcePrefix, ...rest } = values;
    const existing = Object.fromEntries(existingKeys.map((key) => [key, values[key] ?? ""])) as ExistingEndpoints;
    return {
        ...rest,
        location: values[providerKeys.location],
        awsRegion: values[providerKeys.region],
        sourcePrefix: sourcePrefix ?? "",
        databaseSignIn: databaseAuth === "iam" ? { auth: "iam" } : { auth: "password", password: pulumi.secret(databasePassword ?? "") },
        network: values.network === "none" ? undefined : networkOf(values),
        existingEndpoints: values.existingScoringUri === undefined ? undefined : existing,
    };
}

function networkOf(values: Values): NetworkSettings {
    const functions = values.existingFunctionSubnetId;
    const { existingEndpointSubnetId: endpoints, existingComputeSubnetId: compute, existingEgressAddress: egressAddress } = values;
    return {
        isPrivate: values.network === "private",
        cidr: values.networkCidr,
        existingVirtualNetworkId: values.existingVirtualNetworkId,
        existingSubnets: functions === undefined ? undefined : { functions, endpoints, compute, egressAddress },
        privateDnsZones: values.privateDnsZones,
    };
}
