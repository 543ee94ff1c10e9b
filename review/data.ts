import type { Change } from "./change";

/** Types that hold data, and what is lost with one. */
const holdings: Readonly<Record<string, string>> = {
    "azure-native:resources:ResourceGroup": "everything in it",
    "azure-native:storage:StorageAccount": "all its containers, queues and tables",
    "azure-native:storage:BlobContainer": "its blobs",
    "azure-native:storage:Queue": "messages that nobody has worked on",
    "azure-native:storage:Table": "its rows",
    "azure-native:storage:FileShare": "its files",
    "azure-native:redisenterprise:RedisEnterprise": "stored predictions, until the next batch",
    "azure-native:redisenterprise:Database": "stored predictions, until the next batch",
    "azure-native:keyvault:Vault": "its secrets and keys",
    "azure-native:keyvault:Secret": "the secret and its versions",
    "azure-native:keyvault:Key": "the key, and what is encrypted with it",
    "azure-native:machinelearningservices:Workspace": "jobs, endpoints and registered models",
    "azure-native:machinelearningservices:Datastore": "the workspace's way to the data; jobs that name it fail",
    "azure-native:operationalinsights:Workspace": "logs",
    "azure-native:applicationinsights:Component": "metrics and traces",
    "azure-native:containerregistry:Registry": "its images",
    "azure-native:dbformysql:Server": "its databases",
    "azure-native:dbformysql:Database": "its tables",
    "azure-native:sql:Server": "its databases",
    "azure-native:sql:Database": "its tables",
    "aws:rds/instance:Instance": "its databases",
    "aws:rds/cluster:Cluster": "its databases",
    "aws:s3/bucket:Bucket": "its objects",
    "aws:s3/bucketV2:BucketV2": "its objects",
    "aws:kms/key:Key": "the key, and what is encrypted with it",
    "aws:secretsmanager/secret:Secret": "the secret and its versions",
};

/** What is lost where a change removes something that holds data; undefined where none is. */
export function dataLostBy({ type, action, before }: Change): string | undefined {
    const removed = (action === "delete" || action === "replace") && before?.retained !== true;
    return removed && Object.hasOwn(holdings, type) ? holdings[type] : undefined;
}
