import type { IncomingMessage } from "node:http";

/** The app's keys: the function key opens its functions, the master key everything. */
export interface Keys {
    readonly functionKey: string;
    readonly masterKey: string;
}

export type AuthLevel = "anonymous" | "function" | "admin";

/** Whether a request may do what asks for `level`; its key is in the header `x-functions-key` or in the query as `code`. */
export function isAllowed(request: IncomingMessage, query: Readonly<Record<string, string>>, level: AuthLevel, keys: Keys): boolean {
    if (level === "anonymous") {
        return true;
    }
    const key = request.headers["x-functions-key"] ?? query["code"];
    return key === keys.masterKey || (level === "function" && key === keys.functionKey);
}
