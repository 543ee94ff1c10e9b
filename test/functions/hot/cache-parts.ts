import type { TokenCredential } from "@azure/identity";
import { Redis } from "ioredis";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPredictionCache, type CacheSettings, type PredictionCache } from "../../../functions/clients/cache";
import { createIdentityCredential } from "../../../functions/clients/credentials";
import { type IdentityPart, startIdentity } from "../../../local/parts/identity";
import { startRedis } from "../../../local/parts/redis";
import { openWorkshop, type Workshop } from "../../../local/parts/workshop";
import { TcpProxy } from "./tcp-proxy";

/** Client id of the identity that Redis lets in. */
export const clientId = "5a9de3f4-0f7c-4a57-8a3c-5d1c1c0b9a01";
const principalId = "0c6d2f7e-41b5-4f0e-9f0e-2f8f4f6d7a02";

/** A real Redis with TLS whose passwords are the identity's tokens, behind a proxy. */
export interface CacheParts {
    readonly workshop: Workshop;
    readonly identity: IdentityPart;
    readonly proxy: TcpProxy;
    readonly settings: CacheSettings;
    /** Every token that was issued for Redis. */
    readonly tokens: string[];
    /** As the administrator, past the proxy. */
    readonly admin: Redis;
    readonly principalId: string;
    /** The credential of the handlers; a new one, with no token yet. */
    credential(): TokenCredential;
    /** A cache client; closed at `stop`. */
    open(change?: Partial<CacheSettings>, now?: () => number): PredictionCache;
    stop(): Promise<void>;
}

export async function startCacheParts(): Promise<CacheParts> {
    const dir = await mkdtemp(join(tmpdir(), "hot-path-"));
    const workshop = await openWorkshop(dir);
    const [server, identity] = await Promise.all([startRedis(workshop, {}), startIdentity(workshop)]);
    const tokens: string[] = [];
    identity.addIdentity({ clientId, principalId });
    await server.allowUser(principalId);
    const proxy = await TcpProxy.start(server);
    const admin = new Redis({ host: server.host, port: server.port, password: server.adminPassword, tls: {} });
    identity.onIssue(async (issued) => {
        if (issued.audience === "https://redis.azure.com") {
            tokens.push(issued.token);
            // Only the newest logs in, so that a client that comes back with an older one is found out.
            await admin.acl("SETUSER", issued.principalId, "resetpass", `>${issued.token}`);
        }
    });
    const settings: CacheSettings = {
        REDIS_HOST: "127.0.0.1",
        REDIS_PORT: proxy.port,
        REDIS_USERNAME: principalId,
        PREDICTION_FRESH_SECONDS: 3_600,
        PREDICTION_KEEP_SECONDS: 86_400,
    };
    const caches: PredictionCache[] = [];
    const credential = (): TokenCredential => {
        process.env["IDENTITY_ENDPOINT"] = identity.endpoint;
        process.env["IDENTITY_HEADER"] = identity.header;
        return createIdentityCredential({ AZURE_CLIENT_ID: clientId });
    };
    return {
        workshop,
        identity,
        proxy,
        settings,
        tokens,
        admin,
        principalId,
        credential,
        open(change, now) {
            const cache = createPredictionCache({ ...settings, ...change }, credential(), now);
            caches.push(cache);
            return cache;
        },
        async stop() {
            await Promise.all(caches.map((cache) => cache.close()));
            admin.disconnect();
            await proxy.stop();
            await workshop.stop();
            await rm(dir, { recursive: true, force: true });
        },
    };
}
