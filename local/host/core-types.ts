/**
 * What `@azure/functions` expects of `@azure/functions-core`, the module that the Node.js worker of Azure Functions supplies at run time.
 * It is on no registry and has no published types; these are the parts that version 4 of the library uses
 * (https://github.com/Azure/azure-functions-nodejs-library, `src`).
 */

export type LogLevel = "trace" | "debug" | "information" | "warning" | "error" | "critical" | "none";
export type LogCategory = "user" | "system" | "customMetric";

/** A value on its way between the host and a handler; one of the fields is set. */
export interface TypedData {
    string?: string;
    json?: string;
    bytes?: Uint8Array;
    int?: number;
    double?: number;
    http?: HttpData;
}

interface Nullable<T> {
    value?: T;
}

export interface HttpCookie {
    name: string;
    value: string;
    domain?: Nullable<string>;
    path?: Nullable<string>;
    /** In whole seconds since the epoch. */
    expires?: Nullable<{ seconds?: number }>;
    secure?: Nullable<boolean>;
    httpOnly?: Nullable<boolean>;
    sameSite?: "none" | "lax" | "strict" | "explicitNone";
    /** In seconds. */
    maxAge?: Nullable<number>;
}

/** A request (method, url, ...) or a response (statusCode, cookies, ...). */
export interface HttpData {
    method?: string;
    url?: string;
    headers?: Record<string, string>;
    query?: Record<string, string>;
    params?: Record<string, string>;
    body?: TypedData | null;
    statusCode?: string;
    cookies?: HttpCookie[];
}

/** A binding of a function as the library registers it: its kind, and the options that the application gave. */
export interface BindingInfo {
    readonly type: string;
    readonly direction: "in" | "out" | "inout";
    readonly [option: string]: unknown;
}

export interface FunctionMetadata {
    readonly name: string;
    readonly bindings: Readonly<Record<string, BindingInfo>>;
    readonly retryOptions?: unknown;
}

export type FunctionCallback = (...inputs: unknown[]) => unknown;
export type HookCallback = (context: Record<string, unknown>) => unknown;

export interface InvocationRequest {
    readonly invocationId: string;
    readonly inputData: readonly { readonly name: string; readonly data: TypedData }[];
    readonly triggerMetadata: Readonly<Record<string, TypedData>>;
    readonly traceContext?: { readonly traceParent: string; readonly traceState?: string };
}

export interface InvocationResponse {
    readonly invocationId: string;
    readonly returnValue?: TypedData | null;
}

export interface CoreInvocationContext {
    readonly invocationId: string;
    readonly request: InvocationRequest;
    readonly metadata: FunctionMetadata;
    state?: "preInvocationHooks" | "invocation" | "postInvocationHooks";
    log(level: LogLevel, category: LogCategory, message: string): void;
}

/** How the library turns an invocation into arguments and a result into a response. */
export interface InvocationModel {
    getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
    invokeFunction(context: unknown, inputs: unknown[], handler: FunctionCallback): Promise<unknown>;
    getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
    readonly name: string;
    readonly version: string;
    getInvocationModel(context: CoreInvocationContext): InvocationModel;
    getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}
