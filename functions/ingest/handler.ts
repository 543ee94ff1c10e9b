import type { TimerHandler } from "@azure/functions";
import { services } from "../services";
import { ingest } from "./ingest";

/** Timer: brings the bucket's new and changed player logs to the lake. */
export const ingestLogs: TimerHandler = async (_timer, context) => {
    await ingest({
        source: services.sourceBucket(),
        lake: services.lake(),
        now: () => new Date(),
        log: (line) => context.log(line),
    });
};
