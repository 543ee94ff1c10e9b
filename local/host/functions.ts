import * as z from "zod";
import type { RegisteredFunction } from "./core";
import { PackageError } from "./errors";

/** Settings by name: the app settings of the process. */
export type AppSettings = Readonly<Record<string, string | undefined>>;

interface Triggered {
    readonly registered: RegisteredFunction;
    /** Name of the trigger's binding. */
    readonly binding: string;
    /** Whether its trigger does nothing: https://learn.microsoft.com/azure/azure-functions/disable-function */
    readonly disabled: boolean;
}

export interface HttpFunction extends Triggered {
    readonly kind: "http";
    /** Template below the route prefix. */
    readonly route: string;
    /** In upper case. */
    readonly methods: readonly string[];
    readonly authLevel: "anonymous" | "function" | "admin";
}

export interface TimerFunction extends Triggered {
    readonly kind: "timer";
    /** NCRONTAB, settings resolved. */
    readonly schedule: string;
    readonly runOnStartup: boolean;
}

export interface QueueFunction extends Triggered {
    readonly kind: "queue";
    readonly queueName: string;
    readonly queueServiceUri: string;
    /** Client id of the user-assigned identity; without it, the system-assigned one. */
    readonly clientId: string | undefined;
}

export type TriggeredFunction = HttpFunction | TimerFunction | QueueFunction;

const httpTrigger = z.object({
    route: z.string().optional(),
    methods: z.array(z.string()),
    authLevel: z.enum(["anonymous", "function", "admin"]),
});
const timerTrigger = z.object({ schedule: z.string(), runOnStartup: z.boolean().default(false) });
const queueTrigger = z.object({ queueName: z.string(), connection: z.string().default("AzureWebJobsStorage") });

/**
 * Reads what a package registered: each function's trigger with its options.
 *
 * @throws PackageError naming the function for whatever this host does not do, rather than do it differently from Azure
 */
export function readFunctions(functions: Iterable<RegisteredFunction>, settings: AppSettings): TriggeredFunction[] {
    return Array.from(functions, (registered) => readFunction(registered, settings));
}

function readFunction(registered: RegisteredFunction, settings: AppSettings): TriggeredFunction {
    const { name, bindings, retryOptions } = registered.metadata;
    if (retryOptions !== undefined) {
        throw new PackageError(`function "${name}" has a retry policy; the local host runs functions without one`);
    }
    const [trigger, ...moreTriggers] = Object.entries(bindings).filter(([, binding]) => /trigger$/i.test(binding.type));
    if (trigger === undefined || moreTriggers.length > 0) {
        throw new PackageError(`function "${name}" has ${moreTriggers.length + (trigger === undefined ? 0 : 1)} triggers; expected one`);
    }
    const [binding, options] = trigger;
    const kind = options.type.toLowerCase();
    for (const [otherName, other] of Object.entries(bindings)) {
        if (otherName !== binding && !(kind === "httptrigger" && other.type.toLowerCase() === "http" && other.direction === "out")) {
            throw new PackageError(
                `function "${name}" has the ${other.direction} binding "${otherName}" of type ${other.type}; ` +
                    "the local host has triggers and HTTP responses only",
            );
        }
    }
    const triggered = { registered, binding, disabled: settings[`AzureWebJobs.${name}.Disabled`] === "true" };
    switch (kind) {
        case "httptrigger": {
            const { route = name, methods, authLevel } = parse(name, httpTrigger, options);
            return { ...triggered, kind: "http", route, methods: methods.map((method) => method.toUpperCase()), authLevel };
        }
        case "timertrigger": {
            const { schedule, runOnStartup } = parse(name, timerTrigger, options);
            return { ...triggered, kind: "timer", schedule: resolve(name, schedule, settings), runOnStartup };
        }
        case "queuetrigger": {
            const { queueName, connection } = parse(name, queueTrigger, options);
            const resolved = resolve(name, queueName, settings);
            return { ...triggered, kind: "queue", queueName: resolved, ...readConnection(name, connection, settings) };
        }
        default:
            throw new PackageError(
                `function "${name}" has a trigger of type ${options.type}; the local host runs httpTrigger, timerTrigger and queueTrigger`,
            );
    }
}

function parse<T extends z.ZodType>(name: string, schema: T, options: unknown): z.infer<T> {
    const parsed = schema.safeParse(options);
    if (!parsed.success) {
        throw new PackageError(`function "${name}" has wrong options:\n${z.prettifyError(parsed.error)}`);
    }
    return parsed.data;
}

/** Puts app settings in the place of `%NAME%`, as the host does in trigger options. */
function resolve(name: string, text: string, settings: AppSettings): string {
    return text.replaceAll(/%([^%]+)%/g, (whole, setting: string) => {
        const value = settings[setting];
        if (value === undefined) {
            throw new PackageError(`function "${name}" names ${whole} in its trigger, but there is no app setting ${setting}`);
        }
        return value;
    });
}

/**
 * Reads the settings of an identity-based connection
 * (https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection).
 */
function readConnection(name: string, connection: string, settings: AppSettings): Pick<QueueFunction, "queueServiceUri" | "clientId"> {
    const setting = `${connection}__queueServiceUri`;
    const queueServiceUri = settings[setting];
    if (queueServiceUri === undefined) {
        throw new PackageError(`function "${name}" uses the connection "${connection}", but there is no app setting ${setting}`);
    }
    return { queueServiceUri, clientId: settings[`${connection}__clientId`] };
}
