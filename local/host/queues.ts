import { ManagedIdentityCredential } from "@azure/identity";
import { QueueServiceClient, type DequeuedMessageItem } from "@azure/storage-queue";
import type { TypedData } from "./core-types";
import type { QueueFunction } from "./functions";
import type { QueueConfig } from "./host-config";
import type { BackgroundInvocations, TriggerInput } from "./invocation";
import type { Log } from "./log";
import { QueueListener } from "./queue-listener";

/** Suffix of the queue that takes what failed too often: the host's, the same for every app. */
const poisonSuffix = "-poison";

/**
 * A message is taken for this long at a time. Azure takes it for ten minutes, so that there a killed process keeps its messages from the
 * others for so long; here the next process should have them soon.
 */
const leaseSeconds = 30;

/** One storage queue trigger. */
export class QueueTrigger {
    readonly #listener: QueueListener;

    constructor(
        readonly target: QueueFunction,
        private readonly invocations: BackgroundInvocations,
        config: QueueConfig,
        log: Log,
    ) {
        const { queueServiceUri, clientId, queueName, registered } = target;
        const credential = clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
        const service = new QueueServiceClient(queueServiceUri, credential, {
            // A poll is repeated anyway; what settles a message should get over a short fault.
            retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2_000, tryTimeoutInMs: 30_000 },
        });
        this.#listener = new QueueListener({
            functionName: registered.metadata.name,
            queue: service.getQueueClient(queueName),
            poisonQueue: service.getQueueClient(`${queueName}${poisonSuffix}`),
            config,
            leaseSeconds,
            run: (message, text) => this.#run(text, metadataOf(message), `New queue message detected on '${queueName}'.`),
            log,
        });
    }

    start(): void {
        this.#listener.start();
    }

    stop(): Promise<void> {
        return this.#listener.stop();
    }

    /** Runs the function on a message that is in no queue. */
    run(text: string, reason: string): Promise<boolean> {
        return this.#run(text, { DequeueCount: { int: 0 } }, reason);
    }

    #run(text: string, metadata: Record<string, TypedData>, reason: string): Promise<boolean> {
        const input: TriggerInput = {
            name: this.target.binding,
            // The library parses a text that is JSON.
            data: { string: text },
            metadata: { ...metadata, QueueTrigger: { string: text } },
        };
        return this.invocations.run(this.target.registered, input, reason);
    }
}

/** Facts about a message (https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger#message-metadata). */
function metadataOf(message: DequeuedMessageItem): Record<string, TypedData> {
    return {
        DequeueCount: { int: message.dequeueCount },
        ExpirationTime: { json: JSON.stringify(message.expiresOn) },
        Id: { string: message.messageId },
        InsertionTime: { json: JSON.stringify(message.insertedOn) },
        NextVisibleTime: { json: JSON.stringify(message.nextVisibleOn) },
        PopReceipt: { string: message.popReceipt },
    };
}
