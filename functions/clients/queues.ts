import { QueueServiceClient, RestError } from "@azure/storage-queue";
import type { TokenCredential } from "@azure/identity";
import type { Settings } from "../settings";
import { LakeError } from "./lake-errors";
import { storageRetries } from "./storage-retries";

/** The queues of the lake account, for handlers that send. */
export interface Queues {
    /** Puts a message where it is read after `delaySeconds`, at most 7 days. @throws LakeError */
    send(queue: string, message: object, delaySeconds?: number): Promise<void>;
}

/** Connects to the queues with the handlers' identity. */
export function createQueues(settings: Pick<Settings, "Lake__queueServiceUri">, credential: TokenCredential): Queues {
    const service = new QueueServiceClient(settings.Lake__queueServiceUri, credential, {
        retryOptions: storageRetries,
    });
    return {
        async send(queue, message, delaySeconds = 0) {
            try {
                // In base64, as the host reads all messages.
                const text = Buffer.from(JSON.stringify(message)).toString("base64");
                await service.getQueueClient(queue).sendMessage(text, { visibilityTimeout: delaySeconds });
            } catch (error) {
                const status = error instanceof RestError ? error.statusCode : undefined;
                throw new LakeError(`could not send to queue ${queue} at ${settings.Lake__queueServiceUri}`, status, { cause: error });
            }
        },
    };
}
