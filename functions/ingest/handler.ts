import type { TimerHandler } from "@azure/functions";
import { services } from "../services";

/** Timer: brings the bucket's new and changed player logs to the lake. */
export const ingestLogs: TimerHandler = async (_timer, context) => {
    const { ingest } = await services.coldPath();
    // The context's methods want it as their `this`.
    await ingest({ log: (line) => context.log(line), trace: (line) => context.trace(line) });
};
