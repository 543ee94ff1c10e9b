import { setTimeout as sleep } from "node:timers/promises";
import { QueueServiceClient, StorageSharedKeyCredential, type QueueClient } from "@azure/storage-queue";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { QueueConfig } from "../../local/host/host-config";
import { createLog } from "../../local/host/log";
import { QueueListener, type QueueListenerOptions } from "../../local/host/queue-listener";
import { startAzurite } from "../../local/parts/azurite";
import type { Workshop } from "../../local/parts/workshop";
import { closeTestWorkshop, openTestWorkshop, until } from "./package";

const account = "lake";
const key = Buffer.alloc(64, 7).toString("base64");
const config: QueueConfig = {
    maxPollingInterval: 200,
    visibilityTimeout: 0,
    batchSize: 4,
    newBatchThreshold: 2,
    maxDequeueCount: 2,
    messageEncoding: "none",
};

let workshop: Workshop;
let service: QueueServiceClient;
let queue: QueueClient;
let poisonQueue: QueueClient;
let lines: string[];
let count = 0;

beforeAll(async () => {
    workshop = await openTestWorkshop();
    const { queueEndpoint } = await startAzurite(workshop, { account, key });
    service = new QueueServiceClient(queueEndpoint, new StorageSharedKeyCredential(account, key));
});

afterAll(async () => {
    await closeTestWorkshop(workshop);
});

beforeEach(async () => {
    queue = service.getQueueClient(`queue-${++count}`);
    poisonQueue = service.getQueueClient(`queue-${count}-poison`);
    lines = [];
    await queue.create();
});

function listen(run: QueueListenerOptions["run"], options: Partial<QueueListenerOptions> = {}): QueueListener {
    const log = createLog("information", (line) => lines.push(line), () => new Date());
    const listener = new QueueListener({ functionName: "f", queue, poisonQueue, config, leaseSeconds: 1, run, log, ...options });
    listener.start();
    return listener;
}

describe("a queue listener", () => {
    it("keeps a message from others for as long as its handler runs", async () => {
        let runs = 0;
        const leaseSeconds = 3;
        const listener = listen(
            async () => {
                runs++;
                await sleep(2.5 * leaseSeconds * 1_000);
                return true;
            },
            { leaseSeconds },
        );
        await queue.sendMessage("long");
        await until(
            () => Promise.resolve(runs),
            (value) => value === 1,
        );
        // More than two leases later, with room for a second batch all the time.
        await sleep(2.2 * leaseSeconds * 1_000);
        expect((await queue.receiveMessages()).receivedMessageItems).toEqual([]);
        await listener.stop();
        expect(runs).toBe(1);
        expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
        expect(lines).toEqual([]);
    });

    it("ends only when the messages that it took are done with", async () => {
        const done: string[] = [];
        // With the threshold at none, nothing is taken while the first message is worked on.
        const listener = listen(
            async (_message, text) => {
                await sleep(1_000);
                done.push(text);
                return true;
            },
            { config: { ...config, newBatchThreshold: 0 }, leaseSeconds: 30 },
        );
        await queue.sendMessage("first");
        await until(
            async () => (await queue.peekMessages()).peekedMessageItems.length,
            (length) => length === 0,
        );
        const stopped = listener.stop();
        await queue.sendMessage("second");
        await stopped;
        expect(done).toEqual(["first"]);
        expect((await queue.peekMessages()).peekedMessageItems.map(({ messageText }) => messageText)).toEqual(["second"]);
    });

    it("moves a message that was taken too often away without another run: its process was killed in the last attempt", async () => {
        await queue.sendMessage("deadly");
        for (let attempt = 1; attempt <= config.maxDequeueCount; attempt++) {
            await queue.receiveMessages({ visibilityTimeout: 1 });
            await sleep(1_100);
        }
        let runs = 0;
        const listener = listen(() => Promise.resolve(++runs > 0));
        await until(
            () => poisonQueue.exists(),
            (exists) => exists,
        );
        await listener.stop();
        expect(runs).toBe(0);
        expect((await poisonQueue.peekMessages()).peekedMessageItems.map(({ messageText }) => messageText)).toEqual(["deadly"]);
        expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
    });

    it("goes on after a fault of the service, which it logs once", async () => {
        let broken = true;
        const flaky = new Proxy(queue, {
            get(target, property) {
                if (property === "receiveMessages" && broken) {
                    return () => Promise.reject(new Error("the service is away"));
                }
                const value: unknown = Reflect.get(target, property, target);
                return typeof value === "function" ? (value.bind(target) as unknown) : value;
            },
        });
        const done: string[] = [];
        const listener = listen(
            (_message, text) => {
                done.push(text);
                return Promise.resolve(true);
            },
            { queue: flaky },
        );
        await queue.sendMessage("after");
        await sleep(1_000);
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatch(/ warning f - queue "queue-\d+" cannot be read, trying again: the service is away/);
        broken = false;
        await until(
            () => Promise.resolve(done),
            ({ length }) => length === 1,
        );
        await listener.stop();
        expect(lines[1]).toMatch(/ information f - queue "queue-\d+" is there again\n$/);
    });

    it("survives a message that somebody else deleted meanwhile", async () => {
        const listener = listen(async (message) => {
            await queue.deleteMessage(message.messageId, message.popReceipt);
            return true;
        });
        await queue.sendMessage("gone");
        await until(
            () => Promise.resolve(lines),
            ({ length }) => length === 1,
        );
        expect(lines[0]).toMatch(/ warning f - message [\da-f-]+ could not be settled: RestError/);
        await listener.stop();
    });
});
