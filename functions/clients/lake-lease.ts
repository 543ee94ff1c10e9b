import type { BlockBlobClient } from "@azure/storage-blob";

/** A lease of a blob: one holds it at a time, and it ends by itself when it is not renewed. */
export interface LakeLease {
    /**
     * Holds it for its whole time from now.
     *
     * @returns false when it is lost
     */
    renew(signal?: AbortSignal): Promise<boolean>;
    /** Gives it free for the next at once. */
    release(): Promise<void>;
}

/**
 * Takes a blob's lease (https://learn.microsoft.com/rest/api/storageservices/lease-blob); undefined when it is taken.
 *
 * @param seconds 15 to 60
 * @param unless runs a call: gives its answer, or undefined where it ended with one of these statuses
 */
export async function acquireLease(
    client: BlockBlobClient,
    seconds: number,
    unless: <T>(statuses: readonly number[], run: () => Promise<T>) => Promise<T | undefined>,
): Promise<LakeLease | undefined> {
    // 409: it is there; 412: and leased.
    await unless([409, 412], () => client.upload("", 0, { conditions: { ifNoneMatch: "*" } }));
    const lease = client.getBlobLeaseClient();
    // Taken again under the same id, a lease is the same one: an answer that got lost does no harm.
    const acquired = await unless([409], () => lease.acquireLease(seconds));
    return (
        acquired && {
            renew: async (signal) => (await unless([404, 409, 412], () => lease.renewLease(signal && { abortSignal: signal }))) !== undefined,
            release: async () => void (await unless([404, 409, 412], () => lease.releaseLease())),
        }
    );
}
