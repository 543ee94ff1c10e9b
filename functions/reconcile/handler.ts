import type { StorageQueueHandler, TimerHandler } from "@azure/functions";
import { services } from "../services";
import { parseJobChanged } from "./job-changed";

/** Timer: follows the batches that are open, and repairs the cache. */
export const reconcileBatches: TimerHandler = async (_timer, context) => {
    const { reconcile } = await services.coldPath();
    await reconcile(context);
};

/** Queue `jobs-changed`: follows the batch whose job Azure ML tells of, or tells of the training that it is. */
export const followJob: StorageQueueHandler = async (message, context) => {
    const { jobChanged } = await services.coldPath();
    await jobChanged(parseJobChanged(message), { log: (line) => context.log(line), error: (line) => context.error(line) });
};
