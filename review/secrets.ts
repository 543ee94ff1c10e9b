const hidden = "(masked)";

/** Secrets by their form, wherever they stand in a text. */
const forms: readonly (readonly [RegExp, string])[] = [
    // Signatures of addresses: Azure's SAS, Amazon's presigned URLs; also inside an address that is itself a parameter.
    [/((?:\bsig|\bx-amz-signature|\bx-amz-security-token)(?:=|%3D))[^&;\s"'\\]+/gi, `$1${hidden}`],
    // Parts of connection strings and queries.
    [/(\b(?:accountkey|sharedaccesskey|sharedaccesssignature|sharedsecret|password|passwd|pwd|clientsecret|client_secret|access_token|code)\s*=\s*)[^;&\s"'\\]+/gi, `$1${hidden}`],
    [/(\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi, `$1${hidden}`],
    [/(:\/\/[^\s/:@"']*:)[^\s/@"']+@/g, `$1${hidden}@`],
    // A JSON web token, a private key, a key of a storage account (64 bytes in base64).
    [/\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?/g, hidden],
    [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden],
    [/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==/g, hidden],
];

/** Shorter ones would blot out words of which they are part. */
const shortestKnown = 4;

/** Masks the secrets in a text: those known to be some, and those that look like one. */
export function secretMask(known: ReadonlySet<string>): (text: string) => string {
    const longestFirst = [...known].filter((secret) => secret.length >= shortestKnown).sort((a, b) => b.length - a.length);
    return (text) => {
        const withoutKnown = longestFirst.reduce((masked, secret) => masked.replaceAll(secret, () => hidden), text);
        return forms.reduce((masked, [form, instead]) => masked.replace(form, instead), withoutKnown);
    };
}

const secretWords: ReadonlySet<string> = new Set(["password", "passwd", "pwd", "passphrase", "secret", "secrets", "token", "tokens", "sas"]);
const keyWords: ReadonlySet<string> = new Set([
    "access",
    "account",
    "api",
    "private",
    "shared",
    "function",
    "master",
    "host",
    "primary",
    "secondary",
    "encryption",
    "signing",
    "instrumentation",
]);

/** Whether a property's or setting's name says that its value is a secret: DATABASE_PASSWORD, clientSecret, primaryKey, connectionString. */
export function isSecretName(name: string): boolean {
    const words = name
        .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
        .toLowerCase()
        .split(/[^a-z0-9]+/)
        .filter((word) => word !== "");
    const last = words.at(-1) ?? "";
    const before = words.at(-2) ?? "";
    return (
        secretWords.has(last) ||
        /(password|secret|apikey|accesskey|accountkey|connectionstring)s?$/.test(last) ||
        (/^keys?$/.test(last) && keyWords.has(before)) ||
        (/^strings?$/.test(last) && before === "connection")
    );
}

/** A reference that App Service replaces by the secret: https://learn.microsoft.com/azure/app-service/app-service-key-vault-references */
export function isKeyVaultReference(text: string): boolean {
    return /^@Microsoft\.KeyVault\((SecretUri=https:\/\/[^\s)?#]+|VaultName=[\w-]+;SecretName=[\w-]+(;SecretVersion=\w+)?)\)$/i.test(text);
}
