import * as pulumi from "@pulumi/pulumi";
import { Cron } from "croner";
import { z } from "zod";

const project = "player-predictions";

/** Keys of the providers' own configuration that the program reads as well. */
const providerKeys = { location: "azure-native:location", region: "aws:region" } as const;

function text(pattern: RegExp, allowed: string) {
    return z.string({ error: allowed }).regex(pattern, allowed);
}

function optional(pattern: RegExp, allowed: string) {
    return z
        .string({ error: allowed })
        .refine((value) => value === "" || pattern.test(value), allowed)
        .transform((value) => (value === "" ? undefined : value));
}

function integer(from: number, to: number) {
    const allowed = `a whole number from ${from} to ${to}`;
    return z
        .string({ error: allowed })
        .regex(/^\d{1,9}$/, allowed)
        .transform(Number)
        .refine((value) => value >= from && value <= to, allowed);
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
    return z.enum(values, { error: `one of ${values.join(", ")}` });
}

const vmSize = text(/^Standard_[A-Za-z0-9_]+$/, "an Azure VM size such as Standard_F4s_v2");
const httpsUri = optional(/^https:\/\/[^\s?#]+$/, "an https:// address without a query, or empty");
const deployment = optional(/^[A-Za-z][A-Za-z0-9-]{2,31}$/, "a deployment's name (3 to 32 letters, digits and hyphens, a letter first), or empty");

const tagsAllowed = 'a list of name=value texts, such as ["team=data-platform"]';
const tags = z.string({ error: tagsAllowed }).transform((value, context): Record<string, string> => {
    const parsed = z.array(z.string().regex(/^[^=<>%&\\?/\s][^=<>%&\\?/]*=.{0,256}$/)).safeParse(jsonOrUndefined(value));
    if (!parsed.success) {
        context.addIssue({ code: "custom", message: tagsAllowed });
        return z.NEVER;
    }
    return Object.fromEntries(parsed.data.map((tag) => [tag.slice(0, tag.indexOf("=")), tag.slice(tag.indexOf("=") + 1)]));
});

/** Every key of the stack's configuration, as text on the way in. Pulumi.yaml holds the types, defaults and descriptions for people. */
const schema = z.object({
    namePrefix: text(/^[a-z][a-z0-9]{1,8}$/, "2 to 9 lower-case letters and digits, a letter first"),
    tags,
    lakeSku: oneOf(["Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_GZRS"]),
    logRetentionDays: integer(30, 730),
    redisSku: text(/^(Balanced_B|MemoryOptimized_M|ComputeOptimized_X)\d+$/, "a size of Azure Managed Redis such as Balanced_B0"),
    redisHighAvailability: oneOf(["true", "false"]).transform((value) => value === "true"),
    functionMemoryMb: oneOf(["512", "2048", "4096"]).transform(Number),
    functionMaxInstances: integer(40, 1000),
    functionAlwaysReady: integer(0, 100),
    ingestSchedule: z.string({ error: "an NCRONTAB expression" }).refine(isNcrontab, "an NCRONTAB expression of six fields (second first), such as 0 15 3 * * *"),
    sourceBucket: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of an S3 bucket"),
    sourcePrefix: optional(/^[A-Za-z0-9!_.()='-][A-Za-z0-9!_.()='/-]*\/$/, "a prefix without wildcards that ends in a slash and does not start with one, or empty"),
    databaseInstance: text(/^[A-Za-z](-?[A-Za-z0-9])*$/, "the identifier of an RDS instance"),
    databaseName: text(/^[A-Za-z0-9_$-]{1,64}$/, "the name of a MySQL database"),
    databaseUser: text(/^[A-Za-z0-9_.-]{1,32}$/, "the name of a MySQL user, at most 32 characters"),
    databaseAuth: oneOf(["iam", "password"]),
    databasePassword: optional(/^.+$/s, "a text"),
    modelFolder: text(/\S/, "a folder, from the project's folder"),
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
    existingOutputDatastore: optional(
        /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.MachineLearningServices\/workspaces\/[^/]+\/datastores\/[^/]+$/i,
        "the ARM id of an Azure ML datastore, or empty",
    ),
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

type Values = z.output<typeof schema>;

const existingKeys = [
    "existingScoringUri",
    "existingScoringDeployment",
    "existingBatchUri",
    "existingBatchDeployment",
    "existingOutputDatastore",
    "existingModelVersion",
] as const;

/** Endpoints that are there already: only their addresses are wired. */
export type ExistingEndpoints = { readonly [key in (typeof existingKeys)[number]]: string };

/** How the handlers sign in to MySQL. */
export type DatabaseSignIn = { readonly auth: "iam" } | { readonly auth: "password"; readonly password: pulumi.Output<string> };

/** The stack's configuration, checked and typed. What each means is said in Pulumi.yaml. */
export interface StackSettings extends Readonly<Omit<Values, (typeof existingKeys)[number] | "databaseAuth" | "databasePassword" | "sourcePrefix" | `${string}:${string}`>> {
    /** Azure region of everything on Azure. */
    readonly location: string;
    /** AWS region of the bucket and the database. */
    readonly awsRegion: string;
    /** Empty for the whole bucket. */
    readonly sourcePrefix: string;
    readonly databaseSignIn: DatabaseSignIn;
    /** Undefined where the program deploys the models itself. */
    readonly existingEndpoints: ExistingEndpoints | undefined;
}

/** The keys of the project's own configuration, for a check against Pulumi.yaml. */
export const settingKeys = Object.keys(schema.shape).filter((key) => !key.includes(":"));

/** The stack's configuration is wrong. Holds a line a fault. */
export class StackSettingsError extends Error {
    override readonly name = "StackSettingsError";
}

/**
 * Reads the configuration of the current stack.
 *
 * @throws StackSettingsError with all faults at once, each a line that names the key, the value and what is allowed
 */
export function readStackSettings(read: (key: string) => string | undefined = pulumi.runtime.getConfig): StackSettings {
    const raw = Object.fromEntries(Object.keys(schema.shape).map((key) => [key, read(fullKey(key))]));
    const parsed = schema.safeParse(raw);
    if (!parsed.success) {
        throw new StackSettingsError(parsed.error.issues.map(({ path, message }) => fault(String(path[0]), raw[String(path[0])], message)).join("\n"));
    }
    const faults = contradictions(parsed.data);
    if (faults.length > 0) {
        throw new StackSettingsError(faults.join("\n"));
    }
    return settingsOf(parsed.data);
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
        existingEndpoints: values.existingScoringUri === undefined ? undefined : existing,
    };
}

/** What each value allows for itself and the values together do not. */
function contradictions(values: Values): string[] {
    const given = existingKeys.filter((key) => values[key] !== undefined);
    const missing = given.length > 0 ? existingKeys.filter((key) => values[key] === undefined) : [];
    const faults = missing.map((key) => fault(key, "", `a value, since ${fullKey(given[0] ?? key)} is set: the existing* keys go together`));
    if (values.databaseAuth === "password" && values.databasePassword === undefined) {
        faults.push(fault("databasePassword", "", "a secret text, since databaseAuth is password: pulumi config set --secret databasePassword"));
    }
    if (values.databaseAuth === "iam" && values.databasePassword !== undefined) {
        faults.push(fault("databasePassword", values.databasePassword, "empty, since databaseAuth is iam"));
    }
    for (const key of ["predictionFreshSeconds", "batchFreshSeconds"] as const) {
        if (values.predictionKeepSeconds < values[key]) {
            faults.push(fault("predictionKeepSeconds", String(values.predictionKeepSeconds), `at least ${key} (${values[key]})`));
        }
    }
    return faults;
}

function fault(key: string, value: string | undefined, allowed: string): string {
    const shown = value === undefined ? "is missing" : key === "databasePassword" && value !== "" ? "has a value" : `is ${JSON.stringify(value)}`;
    return `${fullKey(key)} ${shown}; allowed: ${allowed}`;
}

function fullKey(key: string): string {
    return key.includes(":") ? key : `${project}:${key}`;
}

/** https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions */
function isNcrontab(expression: string): boolean {
    if (!/^[\dA-Za-z*,/-]+( [\dA-Za-z*,/-]+){5}$/.test(expression)) {
        return false;
    }
    try {
        return new Cron(expression, { paused: true }).nextRun() !== null;
    } catch {
        return false;
    }
}

function jsonOrUndefined(value: string): unknown {
    try {
        return JSON.parse(value);
    } catch {
        return undefined;
    }
}
