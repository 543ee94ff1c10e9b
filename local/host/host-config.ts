import { readFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import type { LogLevel } from "./core-types";
import { PackageError } from "./errors";

const secondMs = 1000;

/** `[d.]hh:mm:ss[.fff]`, as host.json writes a span of time; parsed to milliseconds. */
const timeSpan = z
    .string()
    .regex(/^(\d+\.)?\d{1,2}:\d{2}:\d{2}(\.\d{1,7})?$/, "expected a time span such as 00:00:30")
    .transform((text) => {
        const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = /^(?:(\d+)\.)?(\d+):(\d+):(.+)$/.exec(text) ?? [];
        return Math.round((((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * secondMs);
    });

/** Defaults and bounds: https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#host-json */
const queues = z
    .object({
        maxPollingInterval: timeSpan.default(60 * secondMs),
        visibilityTimeout: timeSpan.default(0),
        batchSize: z.int().min(1).max(32).default(16),
        newBatchThreshold: z.int().min(0).optional(),
        maxDequeueCount: z.int().min(1).default(5),
        messageEncoding: z.enum(["base64", "none"]).default("base64"),
    })
    .prefault({});

/** The host's own names of levels are those of .NET, capitalised. */
const logLevel = z
    .enum(["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"])
    .transform((level) => level.toLowerCase() as LogLevel);

const schema = z.object({
    version: z.literal("2.0"),
    extensions: z
        .object({
            http: z.object({ routePrefix: z.string().default("api") }).prefault({}),
            queues,
        })
        .prefault({}),
    logging: z.object({ logLevel: z.object({ default: logLevel.default("information") }).prefault({}) }).prefault({}),
});

/** How storage queues are read. Times in milliseconds. */
export interface QueueConfig {
    readonly maxPollingInterval: number;
    /** How long a message that failed stays away before it is tried again. */
    readonly visibilityTimeout: number;
    readonly batchSize: number;
    /** The next batch is fetched when no more messages than this are being worked on. */
    readonly newBatchThreshold: number;
    readonly maxDequeueCount: number;
    readonly messageEncoding: "base64" | "none";
}

/** The parts of host.json that this host follows. */
export interface HostConfig {
    readonly routePrefix: string;
    readonly queues: QueueConfig;
    readonly logLevel: LogLevel;
}

/** @throws PackageError when host.json is missing or wrong, naming the place */
export function readHostConfig(packageDir: string): HostConfig {
    const file = path.join(packageDir, "host.json");
    let content: unknown;
    try {
        content = JSON.parse(readFileSync(file, "utf8"));
    } catch (cause) {
        throw new PackageError(`${file}: ${(cause as Error).message}`, { cause });
    }
    const parsed = schema.safeParse(content);
    if (!parsed.success) {
        throw new PackageError(`${file}:\n${z.prettifyError(parsed.error)}`);
    }
    const { extensions, logging } = parsed.data;
    const { newBatchThreshold, ...others } = extensions.queues;
    return {
        routePrefix: extensions.http.routePrefix,
        queues: { ...others, newBatchThreshold: newBatchThreshold ?? Math.floor(others.batchSize / 2) },
        logLevel: logging.logLevel.default,
    };
}
