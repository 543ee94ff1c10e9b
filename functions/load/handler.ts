import type { StorageQueueHandler } from "@azure/functions";
import { parseBlobCreated } from "../events/blob-created";
import { services } from "../services";

/** Queue `predictions-ready`: loads a file of batch output. */
export const loadFile: StorageQueueHandler = async (message, context) => {
    const { load } = await services.coldPath();
    await load(parseBlobCreated(message), context);
};
