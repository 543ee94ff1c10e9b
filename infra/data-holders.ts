/** A type of resource that holds what no update brings back. */
export interface DataHolder {
    /** What is lost with one. */
    readonly lost: string;
    /**
     * Where production protects it: not at all where the program makes the same again, from its sources or its configuration.
     * @default everywhere
     */
    readonly protectedIn?: "the lake" | "nothing";
    /** The input that names what it is in. */
    readonly inside?: string;
}

/** By type token without an API version. The previews' review and the policy `data-protected` go by it. */
export const dataHolders: Readonly<Record<string, DataHolder>> = {
    "azure-native:resources:ResourceGroup": { lost: "everything in it" },
    "azure-native:storage:StorageAccount": { lost: "all its containers, queues and tables" },
    // In the other account are packages and models.
    "azure-native:storage:BlobContainer": { lost: "its blobs", protectedIn: "the lake", inside: "accountName" },
    "azure-native:storage:Queue": { lost: "messages that nobody has worked on", protectedIn: "the lake", inside: "accountName" },
    "azure-native:storage:Table": { lost: "its rows", inside: "accountName" },
    "azure-native:storage:FileShare": { lost: "its files", inside: "accountName" },
    "azure-native:redisenterprise:RedisEnterprise": { lost: "stored predictions, until the next batch" },
    "azure-native:redisenterprise:Database": { lost: "stored predictions, until the next batch", inside: "clusterName" },
    "azure-native:keyvault:Vault": { lost: "its secrets and keys" },
    "azure-native:keyvault:Secret": { lost: "the secret and its versions", protectedIn: "nothing" },
    "azure-native:keyvault:Key": { lost: "the key, and what is encrypted with it", inside: "vaultName" },
    "azure-native:machinelearningservices:Workspace": { lost: "jobs, endpoints and registered models" },
    "azure-native:machinelearningservices:Datastore": { lost: "the workspace's way to the data; jobs that name it fail", protectedIn: "nothing" },
    "azure-native:operationalinsights:Workspace": { lost: "logs" },
    // What it shows is kept in the log workspace.
    "azure-native:applicationinsights:Component": { lost: "metrics and traces", protectedIn: "nothing" },
    "azure-native:containerregistry:Registry": { lost: "its images", protectedIn: "nothing" },
    "azure-native:network:PublicIPAddress": { lost: "the address, which firewalls elsewhere let in" },
    "azure-native:dbformysql:Server": { lost: "its databases" },
    "azure-native:dbformysql:Database": { lost: "its tables", inside: "serverName" },
    "azure-native:sql:Server": { lost: "its databases" },
    "azure-native:sql:Database": { lost: "its tables", inside: "serverName" },
    "aws:rds/instance:Instance": { lost: "its databases" },
    "aws:rds/cluster:Cluster": { lost: "its databases" },
    "aws:s3/bucket:Bucket": { lost: "its objects" },
    "aws:s3/bucketV2:BucketV2": { lost: "its objects" },
    "aws:kms/key:Key": { lost: "the key, and what is encrypted with it" },
    "aws:secretsmanager/secret:Secret": { lost: "the secret and its versions" },
};

/** What a type of resource holds; undefined for one that holds nothing of the kind. */
export function dataHolderOf(type: string): DataHolder | undefined {
    return Object.hasOwn(dataHolders, type) ? dataHolders[type] : undefined;
}
