import type { Permission } from "../access";

/** Which of an account's services a request is for. */
export type StorageKind = "blob" | "queue";

/** What a request to a storage account is about, read from its method and address alone. */
export interface StorageRequest {
    /** Container or queue; undefined for the account itself. */
    readonly parent?: string;
    /** Decoded path of the blob in its container. */
    readonly blob?: string;
    /** What the caller must be allowed to do. */
    readonly permission: Permission;
    /** Path below the account's id of what the permission is needed on. */
    readonly resourcePath: string;
    /** How the caller authenticates. */
    readonly authentication: "token" | "sharedKey" | "sas" | "none";
}

/**
 * @param target path and query of the request; the path starts with the account's name, as on every storage emulator
 */
export function readStorageRequest(
    kind: StorageKind,
    method: string,
    target: string,
    authorization: string | undefined,
): StorageRequest {
    const url = new URL(target, "https://storage.invalid");
    const [, , parent, ...rest] = url.pathname.split("/");
    const common = { authentication: authenticationOf(authorization, url), parent: parent ? decodeURIComponent(parent) : undefined };
    if (kind === "blob") {
        return {
            ...common,
            blob: rest.length > 0 ? decodeURIComponent(rest.join("/")) : undefined,
            permission: method === "GET" || method === "HEAD" ? "blob/read" : "blob/write",
            resourcePath: common.parent ? `/blobServices/default/containers/${common.parent}` : "",
        };
    }
    return {
        ...common,
        permission: queuePermission(method, rest, url.searchParams),
        resourcePath: common.parent ? `/queueServices/default/queues/${common.parent}` : "",
    };
}

function queuePermission(method: string, rest: readonly string[], query: URLSearchParams): Permission {
    const isRead = method === "GET" || method === "HEAD";
    if (rest[0] !== "messages") {
        return isRead ? "queue/read" : "queue/manage";
    }
    if (rest.length > 1) {
        return "queue/process";
    }
    if (method === "POST") {
        return "queue/send";
    }
    if (!isRead) {
        return "queue/manage";
    }
    return query.get("peekonly") === "true" ? "queue/read" : "queue/process";
}

function authenticationOf(authorization: string | undefined, url: URL): StorageRequest["authentication"] {
    if (authorization?.startsWith("Bearer ")) {
        return "token";
    }
    if (authorization !== undefined) {
        return "sharedKey";
    }
    return url.searchParams.has("sig") ? "sas" : "none";
}

/**
 * The `data.api` of the event that a successful request raises, or undefined where it raises none.
 * @see https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
 */
export function blobCreatedApi(
    method: string,
    target: string,
    headers: Readonly<Record<string, unknown>>,
): "PutBlob" | "PutBlockList" | "CopyBlob" | undefined {
    if (method !== "PUT") {
        return undefined;
    }
    const query = new URL(target, "https://storage.invalid").searchParams;
    if (query.get("comp") === "blocklist") {
        return "PutBlockList";
    }
    if (query.has("comp") || query.has("restype")) {
        return undefined;
    }
    return headers["x-ms-copy-source"] !== undefined && headers["x-ms-blob-type"] === undefined ? "CopyBlob" : "PutBlob";
}
