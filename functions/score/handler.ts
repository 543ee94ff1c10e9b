import type { StorageQueueHandler } from "@azure/functions";
import { parseBlobCreated } from "../events/blob-created";
import { services } from "../services";
import { scoreReadyFolder } from "./score";

/** Queue `folders-ready`: starts the batch job of a completed folder. */
export const scoreFolder: StorageQueueHandler = async (message, context) => {
    await scoreReadyFolder(parseBlobCreated(message), {
        lake: services.lake(),
        endpoint: services.batchEndpoint(),
        now: () => new Date(),
        log: (line) => context.log(line),
    });
};
