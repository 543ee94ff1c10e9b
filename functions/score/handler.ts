import type { StorageQueueHandler } from "@azure/functions";
import { parseBlobCreated } from "../events/blob-created";
import { services } from "../services";

/** Queue `folders-ready`: starts the batch job of a completed folder. */
export const scoreFolder: StorageQueueHandler = async (message, context) => {
    const { score } = await services.coldPath();
    await score(parseBlobCreated(message), (line) => context.log(line));
};
