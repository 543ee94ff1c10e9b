import { readFileSync } from "node:fs";
import { QueueServiceClient, StorageSharedKeyCredential, type QueueClient } from "@azure/storage-queue";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHost } from "../../local/host";
import { startAzurite } from "../../local/parts/azurite";
import { startIdentity } from "../../local/parts/identity";
import type { Process, Workshop } from "../../local/parts/workshop";
import { buildFixture, closeTestWorkshop, keys, openTestWorkshop, until } from "./package";

interface Seen {
    readonly function: string;
    readonly message: unknown;
    readonly metadata: Record<string, unknown>;
    readonly at: number;
}

const account = "lake";
const key = Buffer.alloc(64, 7).toString("base64");
const clientId = "11111111-1111-1111-1111-111111111111";

let workshop: Workshop;
let host: { url: string; process: Process };
let service: QueueServiceClient;
let work: QueueClient;
let poison: QueueClient;

beforeAll(async () => {
    workshop = await openTestWorkshop();
    const [azurite, identity] = await Promise.all([startAzurite(workshop, { account, key }), startIdentity(workshop)]);
    identity.addIdentity({ clientId, principalId: "22222222-2222-2222-2222-222222222222" });
    service = new QueueServiceClient(azurite.queueEndpoint, new StorageSharedKeyCredential(account, key));
    work = service.getQueueClient("work");
    poison = service.getQueueClient("work-poison");
    await work.create();
    const times = { maxPollingInterval: "00:00:00.5", visibilityTimeout: "00:00:01" };
    const queues = { ...times, batchSize: 4, newBatchThreshold: 1, maxDequeueCount: 3 };
    host = await startHost(workshop, {
        packageDir: await buildFixture(workshop.dir, "queues", { extensions: { queues } }),
        appSettings: {
            WORK_QUEUE: "work",
            Lake__queueServiceUri: azurite.queueEndpoint,
            Lake__credential: "managedidentity",
            Lake__clientId: clientId,
        },
        identity: { endpoint: identity.endpoint, header: identity.header },
        keys,
        port: 0,
    });
});

afterAll(async () => {
    await closeTestWorkshop(workshop);
});

async function send(message: unknown, queue = work): Promise<void> {
    await queue.sendMessage(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)).toString("base64"));
}

async function report(): Promise<{ seen: Seen[]; mostRunning: number }> {
    return (await (await fetch(`${host.url}/api/seen`)).json()) as { seen: Seen[]; mostRunning: number };
}

async function seenOf(tag: string): Promise<Seen[]> {
    return (await report()).seen.filter(({ message }) => JSON.stringify(message).includes(tag));
}

async function isEmpty(queue: QueueClient): Promise<boolean> {
    return (await queue.getProperties()).approximateMessagesCount === 0;
}

describe("a message", () => {
    it("that is JSON reaches the handler parsed, with its metadata, and is deleted", async () => {
        await send({ tag: "json", name: "플레이어" });
        const [seen] = await until(
            () => seenOf("json"),
            ({ length }) => length === 1,
        );
        expect(seen?.function).toBe("work");
        expect(seen?.message).toEqual({ tag: "json", name: "플레이어" });
        expect(seen?.metadata).toMatchObject({
            dequeueCount: 1,
            id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
            insertionTime: expect.stringMatching(/^20.*Z$/) as string,
            expirationTime: expect.stringMatching(/^20.*Z$/) as string,
            nextVisibleTime: expect.stringMatching(/^20.*Z$/) as string,
            popReceipt: expect.any(String) as string,
            queueTrigger: { tag: "json", name: "플레이어" },
        });
        await until(
            () => isEmpty(work),
            (empty) => empty,
        );
    });

    it("that is other text reaches the handler as it is", async () => {
        await send("plain text, no JSON");
        const [seen] = await until(
            () => seenOf("plain text"),
            ({ length }) => length === 1,
        );
        expect(seen?.message).toBe("plain text, no JSON");
    });

    it("that fails comes back after the time in host.json, and goes to the poison queue after the last attempt", async () => {
        await send({ tag: "failing", fail: true });
        await until(
            () => poison.exists(),
            (exists) => exists,
        );
        const moved = await until(
            async () => (await poison.receiveMessages({ numberOfMessages: 32 })).receivedMessageItems,
            ({ length }) => length > 0,
        );
        expect(moved.map(({ messageText }) => Buffer.from(messageText, "base64").toString())).toEqual(['{"tag":"failing","fail":true}']);
        await Promise.all(moved.map(({ messageId, popReceipt }) => poison.deleteMessage(messageId, popReceipt)));
        const attempts = await seenOf("failing");
        expect(attempts.map(({ metadata }) => metadata["dequeueCount"])).toEqual([1, 2, 3]);
        for (const [index, attempt] of attempts.entries()) {
            expect(attempt.at - (attempts[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(900);
        }
        expect(await isEmpty(work)).toBe(true);
    });

    it("that is no base64 goes to the poison queue unseen", async () => {
        await work.sendMessage("{not base64}");
        const moved = await until(
            async () => (await poison.receiveMessages()).receivedMessageItems,
            ({ length }) => length > 0,
        );
        expect(moved[0]?.messageText).toBe("{not base64}");
        expect(await seenOf("not base64")).toEqual([]);
    });

    it("is worked on with others at a time, no more than a batch and the threshold", async () => {
        await Promise.all(Array.from({ length: 20 }, (_, index) => send({ tag: "many", index, workMs: 100 })));
        const seen = await until(
            () => seenOf("many"),
            ({ length }) => length >= 20,
        );
        expect(new Set(seen.map(({ message }) => (message as { index: number }).index)).size).toBe(20);
        const { mostRunning } = await report();
        expect(mostRunning).toBeGreaterThan(1);
        expect(mostRunning).toBeLessThanOrEqual(5);
        await until(
            () => isEmpty(work),
            (empty) => empty,
        );
    });

    it("may be given through the administration, in no queue", async () => {
        const answer = await fetch(`${host.url}/admin/functions/work`, {
            method: "POST",
            headers: { "x-functions-key": keys.masterKey },
            body: JSON.stringify({ input: '{"tag":"manual"}' }),
        });
        expect(answer.status).toBe(202);
        const [seen] = await until(
            () => seenOf("manual"),
            ({ length }) => length === 1,
        );
        expect(seen?.message).toEqual({ tag: "manual" });
    });
});

describe("a queue", () => {
    it("that is not there is waited for", async () => {
        const log = () => readFileSync(host.process.logFile, "utf8");
        expect(log()).toContain('warning late - queue "made-later" cannot be read, trying again: it does not exist');
        const late = service.getQueueClient("made-later");
        await late.create();
        await send({ tag: "late" }, late);
        const [seen] = await until(
            () => seenOf("late"),
            ({ length }) => length === 1,
        );
        expect(seen?.function).toBe("late");
        expect(log()).toContain('information late - queue "made-later" is there again');
    });
});
