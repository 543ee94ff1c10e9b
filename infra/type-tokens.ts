/** `azure-native:storage/v20240101:StorageAccount` is `azure-native:storage:StorageAccount` with its API version stated. */
export function withoutVersion(type: string): string {
    return type.replace(/\/v\d{8}[a-z]*(?=:)/, "");
}
