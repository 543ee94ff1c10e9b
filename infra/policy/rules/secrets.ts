import { at, checks, isUnknownValue, items, textOf, type Fault, type Rule } from "../rule";

/** What a credential looks like, wherever it stands. */
const credentials: readonly (readonly [RegExp, string])[] = [
    [/(^|;)\s*(AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)\s*=\s*[^;\s]/i, "a connection string with its key"],
    [/[?&]sig=[A-Za-z0-9%+/]/, "a shared access signature (SAS)"],
    [/^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i, "an address with a password"],
    [/\b(AKIA|ASIA)[A-Z0-9]{16}\b/, "an AWS access key"],
    [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a private key"],
    [/\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+/, "a token"],
    // https://learn.microsoft.com/azure/storage/common/storage-account-keys-manage: 64 bytes in base64.
    [/(^|[^A-Za-z0-9+/])[A-Za-z0-9+/]{86}==/, "an account's key"],
];

/** Settings whose names say that their value is a secret. `AWS_TOKEN_AUDIENCE` is none: the last word counts. */
const secretName =
    /(^|[_:.-]|[a-z])(password|passwd|pwd|secret|(access|account|api|master|private|function|shared)_?key|token|connection_?string|sas)$/i;

/** Where App Service puts a secret in: https://learn.microsoft.com/azure/app-service/app-service-key-vault-references */
const vaultReference = /^@Microsoft\.KeyVault\(.+\)$/;

/** Application Insights' connection string is an address, as long as telemetry is taken from identities alone (insights-entra). */
const insightsAddress = /^((InstrumentationKey|ApplicationId|[A-Za-z]+Endpoint)=[^;]*;?)+$/;

const remedy = "keep it in Key Vault and give a reference, @Microsoft.KeyVault(SecretUri=...), or sign in under an identity";

export const secretRules: readonly Rule[] = [
    {
        name: "no-secret-in-settings",
        description: "No plain setting has a key, a password or a token in it: settings are shown to every reader of the resource.",
        check: checks({
            "azure-native:web:WebApp": ({ props }) => [
                ...items(at(props, "siteConfig.appSettings")).flatMap((pair) =>
                    settingFaults(String(at(pair, "name")), () => at(pair, "value")),
                ),
                ...items(at(props, "siteConfig.connectionStrings")).flatMap((pair) =>
                    settingFaults(`${String(at(pair, "name"))} (connection string)`, () => at(pair, "connectionString")),
                ),
            ],
            "azure-native:web:WebAppApplicationSettings": ({ props }) => mapFaults(props.properties),
            "azure-native:machinelearningservices:OnlineDeployment": ({ props }) => mapFaults(at(props, "properties.environmentVariables")),
            "azure-native:machinelearningservices:BatchDeployment": ({ props }) => mapFaults(at(props, "properties.environmentVariables")),
        }),
    },
    {
        name: "no-secret-in-deployments",
        description: "Template parameters with a secret are secure ones: the history of deployments shows all others.",
        check: checks({
            "azure-native:resources:Deployment": ({ props }) =>
                Object.entries((at(props, "properties.parameters") ?? {}) as Record<string, unknown>).flatMap(([name, parameter]) => {
                    const type = textOf(at(props, `properties.template.parameters.${name}.type`)).toLowerCase();
                    const found = type.startsWith("secure") ? undefined : credentialIn(textOf(at(parameter, "value")));
                    return found === undefined ? [] : [`the parameter ${name} has ${found} in it: declare it as securestring`];
                }),
        }),
    },
];

function mapFaults(settings: unknown): Fault[] {
    const map = (settings ?? {}) as Readonly<Record<string, unknown>>;
    return Object.keys(map).flatMap((name) => settingFaults(name, () => map[name]));
}

/** The message names the setting and never its value. */
function settingFaults(name: string, read: () => unknown): Fault[] {
    const value = textOf(known(read));
    if (value === "" || vaultReference.test(value) || insightsAddress.test(value)) {
        return [];
    }
    const found = credentialIn(value) ?? (secretName.test(name) ? "a secret, by its name," : undefined);
    return found === undefined ? [] : [`the setting ${name} has ${found} in it: ${remedy}`];
}

function credentialIn(value: string): string | undefined {
    return credentials.find(([pattern]) => pattern.test(value))?.[1];
}

/** A value that a preview does not know is looked at in the update; the other settings are looked at now. */
function known(read: () => unknown): unknown {
    try {
        return read();
    } catch (error) {
        if (isUnknownValue(error)) {
            return undefined;
        }
        throw error;
    }
}
