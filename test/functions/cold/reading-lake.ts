import { startFront } from "../../../local/cloud/storage/front";
import type { ColdParts } from "./parts";

/** Puts a service before the lake that reads from URLs, as Azure's does and Azurite's does not. @returns its blob endpoint */
export async function startReadingLake({ workshop, account, identity }: ColdParts): Promise<string> {
    const front = await startFront(workshop, {
        kind: "blob",
        account: account.account,
        accountId: "/lake",
        upstream: account.blobEndpoint,
        identity,
        access: { allows: () => true },
        sharedKeysAllowed: () => false,
        onWritten: () => Promise.resolve(),
    });
    workshop.onStop(() => front.stop());
    return front.endpoint;
}
