import { ManagedIdentityCredential, type TokenCredential } from "@azure/identity";
import type { Settings } from "../settings";

/**
 * The identity that the handlers run as. The credential keeps its tokens and gets a new one when a kept one has less than five
 * minutes left, so callers ask it each time.
 */
export function createIdentityCredential(settings: Pick<Settings, "AZURE_CLIENT_ID">): TokenCredential {
    return new ManagedIdentityCredential({ clientId: settings.AZURE_CLIENT_ID });
}
