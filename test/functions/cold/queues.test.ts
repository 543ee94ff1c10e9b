import { QueueServiceClient } from "@azure/storage-queue";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LakeError } from "../../../functions/clients/lake-errors";
import { createQueues, type Queues } from "../../../functions/clients/queues";
import { blobCreatedMessage, parseBlobCreated } from "../../../functions/events/blob-created";
import { type ColdParts, startColdParts } from "./parts";

let parts: ColdParts;
let queues: Queues;
let service: QueueServiceClient;
beforeAll(async () => {
    parts = await startColdParts();
    queues = createQueues({ Lake__queueServiceUri: parts.account.queueEndpoint }, parts.credential);
    service = new QueueServiceClient(parts.account.queueEndpoint, parts.credential);
});
afterAll(() => parts.stop());

test("a message is sent as Event Grid sends it, and read when its time has come", async () => {
    const queue = service.getQueueClient("folders-ready");
    await queue.create();
    const blob = { container: "logs", path: "플레이어/a b/_SUCCESS", etag: "0x8D" };
    const message = blobCreatedMessage(blob, "https://lake.example/logs", new Date("2026-01-31T12:00:00Z"), { poisoned: { attempt: 3 } });
    await queues.send("folders-ready", { later: true }, 3_600);
    await queues.send("folders-ready", message);
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 10 });
    expect(receivedMessageItems).toHaveLength(1);
    const read: unknown = JSON.parse(Buffer.from(receivedMessageItems[0]?.messageText ?? "", "base64").toString("utf8"));
    expect(read).toEqual(message);
    expect(parseBlobCreated(read)).toEqual(blob);
});

test("a queue that is not there gives a typed error", async () => {
    const failure: unknown = await queues.send("nowhere", {}).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LakeError);
    expect(failure).toMatchObject({ status: 404, message: expect.stringContaining("nowhere") as string });
});
