import type { Topic } from "./statement";

/** A property that decides who gets at a resource. */
export interface Opening {
    /** Matches the type's token. */
    readonly type: RegExp;
    /** Where the property is; the first that is there counts. */
    readonly paths: readonly string[];
    /** What it is called. */
    readonly called: string;
    readonly topic: Topic;
    /** Value that the service takes where the program says none; undefined where that says nothing. */
    readonly otherwise?: unknown;
    /** The value that opens nothing. */
    readonly safe: unknown;
}

const reachable = /^azure-native:(storage:StorageAccount|redisenterprise:RedisEnterprise|keyvault:Vault|web:WebApp|containerregistry:Registry|machinelearningservices:(Workspace|OnlineEndpoint))$/;
const insights = /^azure-native:(applicationinsights:Component|operationalinsights:Workspace)$/;
const firewalled = /^azure-native:(storage:StorageAccount|keyvault:Vault|containerregistry:Registry)$/;

/** What services make of what is left out: their ARM reference, https://learn.microsoft.com/azure/templates */
export const openings: readonly Opening[] = [
    { type: reachable, paths: ["publicNetworkAccess", "properties.publicNetworkAccess"], called: "public network access", topic: "network", otherwise: "Enabled", safe: "Disabled" },
    {
        type: firewalled,
        paths: ["networkRuleSet.defaultAction", "properties.networkAcls.defaultAction"],
        called: "firewall's default",
        topic: "network",
        otherwise: "Allow",
        safe: "Deny",
    },
    { type: firewalled, paths: ["networkRuleSet.bypass", "properties.networkAcls.bypass"], called: "firewall's exceptions", topic: "network", otherwise: "AzureServices", safe: "None" },
    { type: /:storage:StorageAccount$/, paths: ["allowBlobPublicAccess"], called: "anonymous reading of blobs", topic: "network", otherwise: false, safe: false },
    { type: /:storage:StorageAccount$/, paths: ["allowSharedKeyAccess"], called: "access by account key", topic: "access", otherwise: true, safe: false },
    { type: /:storage:StorageAccount$/, paths: ["isLocalUserEnabled"], called: "local users", topic: "access", safe: false },
    { type: /:storage:StorageAccount$/, paths: ["isSftpEnabled"], called: "SFTP", topic: "network", safe: false },
    { type: /:storage:StorageAccount$/, paths: ["enableHttpsTrafficOnly"], called: "HTTPS only", topic: "network", otherwise: true, safe: true },
    { type: /:storage:(StorageAccount)$|:redisenterprise:RedisEnterprise$/, paths: ["minimumTlsVersion"], called: "lowest TLS version", topic: "network", safe: undefined },
    { type: /:storage:BlobContainer$/, paths: ["publicAccess"], called: "anonymous access", topic: "network", otherwise: "None", safe: "None" },
    { type: /:redisenterprise:Database$/, paths: ["accessKeysAuthentication"], called: "access by key", topic: "access", otherwise: "Enabled", safe: "Disabled" },
    { type: /:redisenterprise:Database$/, paths: ["clientProtocol"], called: "client protocol", topic: "network", otherwise: "Encrypted", safe: "Encrypted" },
    { type: /:keyvault:Vault$/, paths: ["properties.enableRbacAuthorization"], called: "access by roles", topic: "access", otherwise: false, safe: true },
    { type: /:containerregistry:Registry$/, paths: ["adminUserEnabled"], called: "admin user", topic: "access", otherwise: false, safe: false },
    { type: /:containerregistry:Registry$/, paths: ["anonymousPullEnabled"], called: "anonymous pulling", topic: "access", otherwise: false, safe: false },
    { type: /:machinelearningservices:(Online|Batch)Endpoint$/, paths: ["properties.authMode"], called: "way to sign in", topic: "access", safe: "AADToken" },
    { type: /:machinelearningservices:Workspace$/, paths: ["systemDatastoresAuthMode"], called: "datastores' way to sign in", topic: "access", safe: "Identity" },
    { type: insights, paths: ["publicNetworkAccessForIngestion"], called: "taking telemetry from public networks", topic: "network", otherwise: "Enabled", safe: "Disabled" },
    { type: insights, paths: ["publicNetworkAccessForQuery"], called: "queries from public networks", topic: "network", otherwise: "Enabled", safe: "Disabled" },
    { type: /:applicationinsights:Component$/, paths: ["disableLocalAuth"], called: "identities only", topic: "access", otherwise: false, safe: true },
    { type: /:web:WebApp$/, paths: ["httpsOnly"], called: "HTTPS only", topic: "network", otherwise: false, safe: true },
    { type: /:web:WebApp$/, paths: ["siteConfig.minTlsVersion"], called: "lowest TLS version", topic: "network", safe: undefined },
    { type: /:web:WebApp$/, paths: ["virtualNetworkSubnetId"], called: "subnet of outgoing calls", topic: "network", safe: undefined },
    { type: /:web:WebApp$/, paths: ["siteConfig.cors.allowedOrigins"], called: "origins of browsers", topic: "network", safe: undefined },
    { type: /:web:WebApp(Ftp|Scm)Allowed$/, paths: ["allow"], called: "sign-in by password", topic: "access", otherwise: true, safe: false },
    { type: /:network:PublicIPAddress$/, paths: ["publicIPAllocationMethod"], called: "allocation of the public address", topic: "network", safe: undefined },
    { type: /:network:PrivateEndpoint$/, paths: ["privateLinkServiceConnections"], called: "private way to", topic: "network", safe: undefined },
];
