import type { RecordingOptions } from "../infra/recording";

/** The project's environments, each with its own stack file. */
export const environments = {
    dev: { stack: "dev" },
    prod: { stack: "prod" },
    local: { stack: "local", config: { databasePassword: "hunter2" } },
} as const satisfies Readonly<Record<string, RecordingOptions>>;

export type Environment = keyof typeof environments;
