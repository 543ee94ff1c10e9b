import type { StorageQueueHandler } from "@azure/functions";
import { parseBlobCreated } from "../events/blob-created";
import { services } from "../services";
import { loadPredictions } from "./load";

/** Queue `predictions-ready`: loads a file of batch output. */
export const loadFile: StorageQueueHandler = async (message, context) => {
    await loadPredictions(parseBlobCreated(message), {
        lake: services.lake(),
        database: services.database(),
        cache: services.cache(),
        freshSeconds: services.settings().BATCH_FRESH_SECONDS,
        now: () => new Date(),
        log: context,
    });
};
