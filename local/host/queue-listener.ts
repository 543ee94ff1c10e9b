import { setTimeout as sleep } from "node:timers/promises";
import type { DequeuedMessageItem, QueueClient } from "@azure/storage-queue";
import type { QueueConfig } from "./host-config";
import { errorText, type Log, type LogSource } from "./log";

/** First wait after an empty poll; each further one doubles it, up to the setting. */
const firstDelayMs = 100;

const base64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

export interface QueueListenerOptions {
    readonly functionName: string;
    readonly queue: QueueClient;
    readonly poisonQueue: QueueClient;
    readonly config: QueueConfig;
    /** For how long a message is taken at a time, in whole seconds; renewed at a third of it while its handler runs. */
    readonly leaseSeconds: number;
    /** Runs the function on a message's text; resolves to whether it succeeded. */
    readonly run: (message: DequeuedMessageItem, text: string) => Promise<boolean>;
    readonly log: Log;
}

/**
 * Takes the messages of one queue to one function, as the host's queue trigger does: in batches, each message deleted after a success,
 * back in the queue after a failure, and in the poison queue after the last of its attempts
 * (https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger#poison-messages).
 */
export class QueueListener {
    readonly #stopping = new AbortController();
    readonly #stopped = new Promise<void>((resolve) => {
        this.#stopping.signal.addEventListener("abort", () => {
            resolve();
        });
    });
    readonly #inFlight = new Set<Promise<void>>();
    readonly #source: LogSource;
    #loop: Promise<void> | undefined;
    /** The fault that was logged last, so that a lasting one is logged once. */
    #fault: string | undefined;

    constructor(private readonly options: QueueListenerOptions) {
        this.#source = { functionName: options.functionName };
    }

    start(): void {
        this.#loop = this.#poll();
    }

    /** Takes no more messages and resolves when those that were taken are done with. */
    async stop(): Promise<void> {
        this.#stopping.abort();
        await this.#loop;
        await Promise.all(this.#inFlight);
    }

    async #poll(): Promise<void> {
        const { maxPollingInterval, newBatchThreshold } = this.options.config;
        const { signal } = this.#stopping;
        let delay = firstDelayMs;
        while (!signal.aborted) {
            if (this.#inFlight.size > newBatchThreshold) {
                await Promise.race([...this.#inFlight, this.#stopped]);
                continue;
            }
            const messages = await this.#receive();
            for (const message of messages) {
                const work = this.#process(message).catch((error: unknown) => {
                    // The message comes back by itself when its lease ends.
                    this.#log("warning", `message ${message.messageId} could not be settled: ${errorText(error)}`);
                });
                this.#inFlight.add(work);
                void work.finally(() => this.#inFlight.delete(work));
            }
            if (messages.length > 0) {
                delay = firstDelayMs;
            } else {
                await sleep(Math.min(delay, maxPollingInterval), undefined, { signal }).catch(() => undefined);
                delay = Math.min(delay * 2, maxPollingInterval);
            }
        }
    }

    /** A fault of the service is an empty batch: the next poll tries again. */
    async #receive(): Promise<readonly DequeuedMessageItem[]> {
        const { queue, config, leaseSeconds } = this.options;
        try {
            const { receivedMessageItems } = await queue.receiveMessages({
                numberOfMessages: config.batchSize,
                visibilityTimeout: leaseSeconds,
            });
            if (this.#fault !== undefined) {
                this.#log("information", `queue "${queue.name}" is there again`);
                this.#fault = undefined;
            }
            return receivedMessageItems;
        } catch (error) {
            const fault = describeFault(error);
            if (!this.#stopping.signal.aborted && fault !== this.#fault) {
                this.#log("warning", `queue "${queue.name}" cannot be read, trying again: ${fault}`);
                this.#fault = fault;
            }
            return [];
        }
    }

    async #process(message: DequeuedMessageItem): Promise<void> {
        const { maxDequeueCount, visibilityTimeout } = this.options.config;
        const text = this.#decode(message.messageText);
        // Above the number of attempts when a process was killed in the last of them.
        if (text === undefined || message.dequeueCount > maxDequeueCount) {
            await this.#moveToPoison(message, text === undefined ? "its text is not base64" : "it was taken too often");
            return;
        }
        const lease = new Lease(message, this.options);
        const succeeded = await this.options.run(message, text);
        const popReceipt = await lease.end();
        if (succeeded) {
            await this.options.queue.deleteMessage(message.messageId, popReceipt);
        } else if (message.dequeueCount >= maxDequeueCount) {
            await this.#moveToPoison({ ...message, popReceipt }, `it failed ${message.dequeueCount} times`);
        } else {
            await this.options.queue.updateMessage(message.messageId, popReceipt, undefined, Math.round(visibilityTimeout / 1000));
        }
    }

    async #moveToPoison(message: DequeuedMessageItem, reason: string): Promise<void> {
        const { queue, poisonQueue } = this.options;
        this.#log("warning", `message ${message.messageId} of queue "${queue.name}" goes to "${poisonQueue.name}": ${reason}`);
        await poisonQueue.createIfNotExists();
        await poisonQueue.sendMessage(message.messageText);
        await queue.deleteMessage(message.messageId, message.popReceipt);
    }

    #decode(text: string): string | undefined {
        if (this.options.config.messageEncoding === "none") {
            return text;
        }
        return base64.test(text) ? Buffer.from(text, "base64").toString() : undefined;
    }

    #log(level: "information" | "warning", message: string): void {
        this.options.log.write(level, message, this.#source);
    }
}

/** The first line of an error's message: what the service adds below it differs from call to call. */
function describeFault(error: unknown): string {
    const { code, message = String(error) } = error as { code?: unknown; message?: string };
    return code === "QueueNotFound" ? "it does not exist" : (message.split("\n")[0] ?? "");
}

/** Keeps a message invisible to others while its handler runs. */
class Lease {
    readonly #ended = new AbortController();
    readonly #renewals: Promise<void>;
    #popReceipt: string;

    constructor(message: DequeuedMessageItem, options: QueueListenerOptions) {
        this.#popReceipt = message.popReceipt;
        this.#renewals = this.#renew(message.messageId, options);
    }

    /** @returns the receipt to settle the message with: each renewal gives a new one */
    async end(): Promise<string> {
        this.#ended.abort();
        await this.#renewals;
        return this.#popReceipt;
    }

    async #renew(messageId: string, { queue, leaseSeconds, log, functionName }: QueueListenerOptions): Promise<void> {
        const { signal } = this.#ended;
        for (;;) {
            await sleep((leaseSeconds * 1000) / 3, undefined, { signal }).catch(() => undefined);
            if (signal.aborted) {
                return;
            }
            try {
                const { popReceipt } = await queue.updateMessage(messageId, this.#popReceipt, undefined, leaseSeconds);
                this.#popReceipt = popReceipt ?? this.#popReceipt;
            } catch (error) {
                log.write("warning", `message ${messageId} could not be kept: ${errorText(error)}`, { functionName });
            }
        }
    }
}
