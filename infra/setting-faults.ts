import type { Values } from "./settings";

const project = "player-predictions";

/** The keys of an endpoint that is there already: all or none. */
export const existingKeys = [
    "existingScoringUri",
    "existingScoringDeployment",
    "existingBatchUri",
    "existingBatchDeployment",
    "existingOutputDatastore",
    "existingModelVersion",
] as const;

/** A key as the engine has it. */
export function fullKey(key: string): string {
    return key.includes(":") ? key : `${project}:${key}`;
}

/** One line on a value that does not do. */
export function fault(key: string, value: string | undefined, allowed: string): string {
    const shown = value === undefined ? "is missing" : isSecret(key) && value !== "" ? "has a value" : `is ${JSON.stringify(value)}`;
    return `${fullKey(key)} ${shown}; allowed: ${allowed}`;
}

function isSecret(key: string): boolean {
    return key === "databasePassword";
}

/** Keys of the project that it does not have, such as misspelt ones, which would do nothing. */
export function unknownKeys(config: Readonly<Record<string, string>>, known: readonly string[]): string[] {
    const full = new Set(known.map(fullKey));
    return Object.keys(config)
        .filter((key) => key.startsWith(`${project}:`) && !full.has(key))
        .map((key) => `${key} is no key of this project; allowed: those of Pulumi.yaml`);
}

/** Texts that are other than they stand in the stack's file, where they have no quotes and were read as numbers. */
export function misread(
    raw: Readonly<Record<string, string | undefined>>,
    written: ReadonlyMap<string, string>,
    values: Readonly<Record<string, unknown>> = {},
): string[] {
    return Object.entries(raw).flatMap(([key, value = ""]) => {
        const text = written.get(fullKey(key));
        if (text === undefined || text === value || Number(text) === values[key]) {
            return [];
        }
        const [shown, allowed] = isSecret(key) ? ["has a value", "it in quotes"] : [`is ${text}`, `"${text}", or ${value}`];
        return [`${fullKey(key)} ${shown} without quotes, which YAML reads as a number; allowed: ${allowed}`];
    });
}

/** Secrets that stand in the stack's file in plain text. Pulumi.yaml cannot say that they must not: the engine would refuse the empty default, too. */
export function plainSecrets(keys: readonly string[], plain: ReadonlySet<string>): string[] {
    return keys
        .filter((key) => isSecret(key) && plain.has(fullKey(key)))
        .map((key) => `${fullKey(key)} stands in the stack's file in plain text; allowed: an encrypted value: pulumi config set --secret ${key}, and another password`);
}

/** What each value allows for itself and the values together do not: a line each. */
export function contradictions(values: Values): string[] {
    return [...ofModels(values), ...ofDatabase(values), ...ofTimes(values), ...ofInstances(values), ...ofNetwork(values)];
}

function ofModels(values: Values): string[] {
    const given = existingKeys.filter((key) => values[key] !== undefined);
    const missing = given.length > 0 ? existingKeys.filter((key) => values[key] === undefined) : [];
    const together = "the keys of an existing endpoint go together";
    return [
        ...missing.map((key) => fault(key, "", `a value, since ${fullKey(given[0] ?? key)} is set: ${together}`)),
        ...(given.length > 0 ? refused(values, "existingModelVaultId", "existingScoringUri is set: no workspace is made") : []),
        ...(given.length > 0 ? refused(values, "challengerFolder", "existingScoringUri is set: no models are deployed") : []),
        ...(given.length > 0 ? refused(values, "trainingFolder", "existingScoringUri is set: there is no workspace to train in") : []),
    ];
}

function ofDatabase(values: Values): string[] {
    const { databaseAuth, databasePassword, existingKeyVaultId, existingModelVaultId } = values;
    if (databaseAuth === "iam") {
        return ["databasePassword", "existingKeyVaultId"].flatMap((key) => refused(values, key as keyof Values, "databaseAuth is iam"));
    }
    const faults: string[] = [];
    if (databasePassword === undefined) {
        faults.push(fault("databasePassword", "", "a secret text, since databaseAuth is password: pulumi config set --secret databasePassword"));
    }
    if (existingKeyVaultId !== undefined && existingKeyVaultId === existingModelVaultId) {
        faults.push(fault("existingModelVaultId", existingModelVaultId, "another vault than existingKeyVaultId: Azure ML administers the vault of its workspace"));
    }
    return faults;
}

function ofTimes(values: Values): string[] {
    return (["predictionFreshSeconds", "batchFreshSeconds"] as const)
        .filter((key) => values.predictionKeepSeconds < values[key])
        .map((key) => fault("predictionKeepSeconds", String(values.predictionKeepSeconds), `at least ${key} (${values[key]})`));
}

function ofInstances({ functionAlwaysReady: ready, functionMaxInstances: most }: Values): string[] {
    return ready > most ? [fault("functionAlwaysReady", String(ready), `at most functionMaxInstances (${most})`)] : [];
}

/** Subnets of one's own come whole, with the network that they are in. */
function ofNetwork(values: Values): string[] {
    const { network } = values;
    const ownSubnets = ["existingFunctionSubnetId", "existingEndpointSubnetId", "existingComputeSubnetId"] as const;
    if (network === "none") {
        return [...ownSubnets, "existingVirtualNetworkId", "existingEgressAddress", "privateDnsZones"].flatMap((key) =>
            refused(values, key as keyof Values, "network is none"),
        );
    }
    const given = ownSubnets.find((key) => values[key] !== undefined);
    const needed = {
        existingFunctionSubnetId: true,
        existingEndpointSubnetId: network === "private",
        existingComputeSubnetId: network === "private" && values.existingScoringUri === undefined,
    };
    const faults = ownSubnets.flatMap((key) => {
        if (given !== undefined && needed[key] && values[key] === undefined) {
            return [fault(key, "", `the ARM id of a subnet, since ${fullKey(given)} is set: the subnets go together`)];
        }
        return needed[key] ? [] : refused(values, key, `network is ${network}`);
    });
    return [
        ...faults,
        ...(given === undefined ? refused(values, "existingEgressAddress", "the program makes the NAT gateway") : []),
        ...(given === undefined ? [] : refused(values, "existingVirtualNetworkId", "it follows from the existing subnets")),
        ...(network === "private" ? [] : refused(values, "privateDnsZones", `network is ${network}`)),
    ];
}

/** A fault if a key has a value that nothing would use. */
function refused(values: Values, key: keyof Values, why: string): string[] {
    const value = values[key];
    return value === undefined ? [] : [fault(key, typeof value === "string" ? value : JSON.stringify(value), `empty, since ${why}`)];
}
