import type { StorageQueueHandler } from "@azure/functions";
import * as z from "zod";
import { parseBlobCreated } from "../events/blob-created";
import { services } from "../services";

/** What a message has that was put back from the poison queue. */
const replayed = z.object({ poisoned: z.object({ attempt: z.int() }) });

/** Queue `folders-ready`: starts the batch job of a completed folder. */
export const scoreFolder: StorageQueueHandler = async (message, context) => {
    const { score } = await services.coldPath();
    await score(parseBlobCreated(message), replayed.safeParse(message).data?.poisoned.attempt, (line) => context.log(line));
};
