import type { BlobItem, BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { Redis } from "ioredis";
import mysql, { type Pool, type RowDataPacket } from "mysql2/promise";
import { type BatchState, isOpen } from "../../functions/batches/state";
import { containers } from "../../functions/contracts";
import { loopback } from "../../local/parts/ports";

/** What a blob is, but for its ETag and times. */
export interface BlobState {
    readonly content: string;
    readonly contentType: string | undefined;
    readonly contentEncoding: string | undefined;
    readonly metadata: Readonly<Record<string, string>>;
}

/** Everything that the cold path leaves, but for times of work and what is named by them. */
export interface Snapshot {
    readonly tables: readonly string[];
    readonly players: readonly object[];
    readonly loads: readonly object[];
    /** Values in hexadecimal by their key, without the time until which they are fresh. */
    readonly cache: Readonly<Record<string, string>>;
    readonly logs: Readonly<Record<string, BlobState>>;
    readonly predictions: Readonly<Record<string, BlobState>>;
    /** The oldest first. */
    readonly batches: readonly BatchState[];
}

/** Bytes of a cached value that hold the time until which it is fresh: of the write, not of the work. */
const freshUntil = { from: 15, to: 19 } as const;

/** The stores of the cold path, past the handlers. */
export class Stores {
    readonly #pool: Pool;
    readonly #redis: Redis;

    constructor(
        private readonly lake: BlobServiceClient,
        database: { readonly port: number; readonly database: string; readonly user: string; readonly password: string },
        cache: { readonly port: number; readonly password: string },
    ) {
        this.#pool = mysql.createPool({ ...database, host: loopback, ssl: {}, timezone: "Z", connectionLimit: 1 });
        this.#redis = new Redis({ host: loopback, ...cache, tls: {}, lazyConnect: true });
        this.#redis.on("error", () => undefined);
    }

    async snapshot(): Promise<Snapshot> {
        const tables = await this.#rows("SELECT table_name AS `table` FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1");
        const names = tables.map(({ table }) => String(table));
        const rows = (table: string, sql: string) => (names.includes(table) ? this.#rows(sql) : []);
        return {
            tables: names,
            players: await rows("player_predictions", "SELECT * FROM player_predictions ORDER BY player_id"),
            loads: await rows("prediction_loads", "SELECT file, `rows`, rejected, cache_pending FROM prediction_loads ORDER BY file, etag"),
            cache: await this.#cached(),
            logs: await this.blobs(containers.logs),
            predictions: await this.blobs(containers.predictions),
            batches: await this.batches(),
        };
    }

    async blobs(container: string): Promise<Record<string, BlobState>> {
        const client = this.lake.getContainerClient(container);
        const found: Record<string, BlobState> = {};
        for await (const { name, properties, metadata } of client.listBlobsFlat({ includeMetadata: true })) {
            found[name] = {
                content: properties.contentLength === 0 ? "" : (await client.getBlobClient(name).downloadToBuffer()).toString("base64"),
                contentType: properties.contentType,
                contentEncoding: properties.contentEncoding || undefined,
                metadata: metadata ?? {},
            };
        }
        return found;
    }

    async batches(): Promise<BatchState[]> {
        const blobs = Object.values(await this.blobs(containers.batches));
        const states = blobs.map(({ content }) => JSON.parse(Buffer.from(content, "base64").toString("utf8")) as BatchState);
        return states.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
    }

    /** How many batches something is still to be done about. */
    async openBatches(): Promise<number> {
        return (await this.batches()).filter(isOpen).length;
    }

    /** Empties the lake, the cache and the database; the tables go too, as before the first load of all. */
    async clear(): Promise<void> {
        for (const { table } of await this.#rows("SELECT table_name AS `table` FROM information_schema.tables WHERE table_schema = DATABASE()")) {
            await this.#pool.query("DROP TABLE ??", [table]);
        }
        await this.#redis.flushall();
        await this.endLeases();
        await this.#eachBlob(async (client, { name }) => void (await client.deleteBlob(name)));
    }

    /** Ends all leases, as time does for those whose holder is gone. */
    async endLeases(): Promise<void> {
        await this.#eachBlob(async (client, { name, properties }) => {
            if (properties.leaseState === "leased") {
                await client.getBlobClient(name).getBlobLeaseClient().breakLease(0);
            }
        });
    }

    /** Does the same to all blobs of the lake, at once. */
    async #eachBlob(act: (client: ContainerClient, blob: BlobItem) => Promise<void>): Promise<void> {
        await Promise.all(
            Object.values(containers).map(async (name) => {
                const client = this.lake.getContainerClient(name);
                const acts: Promise<void>[] = [];
                for await (const blob of client.listBlobsFlat()) {
                    acts.push(act(client, blob));
                }
                await Promise.all(acts);
            }),
        );
    }

    async close(): Promise<void> {
        this.#redis.disconnect();
        await this.#pool.end();
    }

    async #rows(sql: string): Promise<Record<string, unknown>[]> {
        const [rows] = await this.#pool.query<RowDataPacket[]>(sql);
        return rows.map((row) => ({ ...row }));
    }

    async #cached(): Promise<Record<string, string>> {
        const found: Record<string, string> = {};
        for (const key of (await this.#redis.keys("*")).sort()) {
            if (key.startsWith("m:")) {
                found[key] = JSON.stringify(Object.entries(await this.#redis.hgetall(key)).sort());
                continue;
            }
            const value = (await this.#redis.getBuffer(key)) ?? Buffer.alloc(0);
            found[key] = `${value.fill(0, freshUntil.from, freshUntil.to).toString("hex")}${(await this.#redis.ttl(key)) > 0 ? "" : " for ever"}`;
        }
        return found;
    }
}
