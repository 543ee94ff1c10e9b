import { randomUUID } from "node:crypto";
import { QueueClient, StorageSharedKeyCredential } from "@azure/storage-queue";
import { z } from "zod";
import type { AccessControl } from "../access";
import { guidOf } from "../ids";
import { armResource, LocalCloudError, type CloudService, type Identified, type Registration } from "../resource-type";
import type { BlobWritten } from "./front";

/** An event as its source raises it: Event Grid adds its own fields. */
export interface RaisedEvent {
    readonly eventType: string;
    readonly subject: string;
    readonly data: Readonly<Record<string, unknown>>;
}

/** How the events find the accounts and their keys. */
export interface AccountDirectory {
    /** The account with this ARM id. @throws LocalCloudError when there is none */
    byId(accountId: string): { readonly name: string; readonly id: string; readonly key: string; readonly azuriteQueueEndpoint: string };
}

const topicInputs = z.object({ source: z.string(), identity: z.object({ type: z.string() }).optional() });
const subscriptionInputs = z.object({
    systemTopicName: z.string(),
    eventDeliverySchema: z.literal("EventGridSchema"),
    deliveryWithResourceIdentity: z.object({
        destination: z.object({ endpointType: z.literal("StorageQueue"), resourceId: z.string(), queueName: z.string() }),
    }),
    filter: z.object({
        includedEventTypes: z.array(z.string()).optional(),
        subjectBeginsWith: z.string().default(""),
        subjectEndsWith: z.string().default(""),
        advancedFilters: z.array(z.object({ operatorType: z.literal("StringIn"), key: z.literal("data.api"), values: z.array(z.string()) })).default([]),
    }),
});

type Subscription = z.infer<typeof subscriptionInputs>;

/**
 * Event Grid: what a storage account or an Azure ML workspace raises becomes messages on the queues of the subscriptions that want it, in
 * Event Grid's schema and base64, as Azure delivers them. The topic's own identity must be allowed to send.
 */
export class StorageEvents implements CloudService {
    readonly #topics = new Map<string, { readonly source: string; readonly principalId: string }>();
    readonly #subscriptions = new Map<string, Subscription>();
    #sequence = 0n;

    constructor(
        private readonly accounts: AccountDirectory,
        private readonly access: AccessControl,
        private readonly now: () => Date = () => new Date(),
    ) {}

    readonly types = {
        "azure-native:eventgrid:SystemTopic": {
            identify: armResource("Microsoft.EventGrid/systemTopics", "systemTopicName"),
            create: (registration: Registration, { name }: Identified) => {
                const { source, identity } = topicInputs.parse(registration.inputs);
                const principalId = guidOf(`principal of ${name}`);
                this.#topics.set(name, { source, principalId });
                return { identity: identity && { ...identity, principalId } };
            },
            remove: (_registration: Registration, { name }: Identified) => void this.#topics.delete(name),
        },
        "azure-native:eventgrid:SystemTopicEventSubscription": {
            identify: armResource("Microsoft.EventGrid/systemTopics/eventSubscriptions", "systemTopicName", "eventSubscriptionName"),
            create: (registration: Registration, { id }: Identified) => {
                const subscription = subscriptionInputs.parse(registration.inputs);
                this.#mayDeliver(subscription);
                this.#subscriptions.set(id, subscription);
                return {};
            },
            remove: (_registration: Registration, { id }: Identified) => void this.#subscriptions.delete(id),
        },
    };

    /** Delivers word of a written blob. */
    async publish(accountId: string, written: BlobWritten): Promise<void> {
        this.#sequence += 1n;
        await this.raise(accountId, {
            eventType: "Microsoft.Storage.BlobCreated",
            subject: `/blobServices/default/containers/${written.container}/blobs/${written.blob}`,
            data: {
                api: written.api,
                requestId: written.requestId,
                eTag: written.eTag,
                contentType: written.contentType,
                contentLength: written.contentLength,
                blobType: "BlockBlob",
                url: written.url,
                sequencer: this.#sequence.toString(16).padStart(56, "0"),
            },
        });
    }

    /** Delivers an event to every subscription of its source's topic that wants it. */
    async raise(source: string, { eventType, subject, data }: RaisedEvent): Promise<void> {
        const wanted = [...this.#subscriptions.values()].filter(
            (each) => this.#topics.get(each.systemTopicName)?.source === source && wants(each, { eventType, subject, data }),
        );
        const event = { topic: source, subject, eventType, id: randomUUID(), data, dataVersion: "", metadataVersion: "1", eventTime: this.now().toISOString() };
        for (const subscription of wanted) {
            await this.#deliver(subscription, event);
        }
    }

    /** Azure checks this at delivery, and a missing role loses events into the dead letters; here the program hears of it at once. */
    #mayDeliver(subscription: Subscription): void {
        const { resourceId, queueName } = subscription.deliveryWithResourceIdentity.destination;
        const topic = this.#topics.get(subscription.systemTopicName);
        if (topic === undefined || !this.access.allows(topic.principalId, "queue/send", `${resourceId}/queueServices/default/queues/${queueName}`)) {
            throw new LocalCloudError(
                `event subscription to queue ${queueName}: topic ${subscription.systemTopicName} has no role to send to it (Storage Queue Data Message Sender)`,
            );
        }
    }

    async #deliver(subscription: Subscription, event: object): Promise<void> {
        const { resourceId, queueName } = subscription.deliveryWithResourceIdentity.destination;
        const account = this.accounts.byId(resourceId);
        const queue = new QueueClient(`${account.azuriteQueueEndpoint}/${queueName}`, new StorageSharedKeyCredential(account.name, account.key));
        await queue.sendMessage(Buffer.from(JSON.stringify(event)).toString("base64"));
    }
}

/** Event Grid compares subjects without regard to case unless a filter says otherwise. */
function wants(subscription: Subscription, { eventType, subject, data }: RaisedEvent): boolean {
    const { subjectBeginsWith, subjectEndsWith, advancedFilters, includedEventTypes } = subscription.filter;
    const lower = subject.toLowerCase();
    return (
        (includedEventTypes?.includes(eventType) ?? true) &&
        lower.startsWith(subjectBeginsWith.toLowerCase()) &&
        lower.endsWith(subjectEndsWith.toLowerCase()) &&
        advancedFilters.every((filter) => filter.values.includes(String(data["api"])))
    );
}
