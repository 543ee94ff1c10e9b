import { Redis } from "ioredis";
import mysql from "mysql2/promise";
import type { Certificate } from "./parts/certificate";
import { containers, poisonSuffix, predictionFileSuffix, queues, rejectedSuffix, successMarker } from "../functions/contracts";
import type { LocalAccount } from "./cloud/storage/service";
import type { Connections } from "./stack";

/** How much is where, for a person and for the decision whether all has arrived. */
export interface Counts {
    /** Player files in the lake. */
    readonly logFiles: number;
    /** Files of predictions that the batch jobs wrote. */
    readonly predictionFiles: number;
    /** Rows that were set aside, in the lake. */
    readonly rejectedRows: number;
    /** Rows of `player_predictions`. */
    readonly databaseRows: number;
    /** Files in the ledger of loads. */
    readonly loadedFiles: number;
    /** Players in Redis. */
    readonly cachedPlayers: number;
    /** Messages that failed too often, by queue. */
    readonly poison: Readonly<Record<string, number>>;
}

/** A look into the places that hold players, with the studio's and the operator's own access. */
export class Stores {
    private constructor(
        private readonly database: mysql.Connection,
        private readonly lake: LocalAccount,
        private readonly redis: Redis,
    ) {}

    static async open({ mysql: database, redis }: Connections, lake: LocalAccount, certificate: Certificate): Promise<Stores> {
        const tls = { ca: certificate.cert };
        return new Stores(await mysql.createConnection({ ...database, timezone: "Z", ssl: tls }), lake, new Redis({ ...redis, tls }));
    }

    async counts(): Promise<Counts> {
        const [logs, predictions] = await Promise.all([this.#names(containers.logs), this.#names(containers.predictions)]);
        const rejected = predictions.filter((name) => name.endsWith(rejectedSuffix));
        return {
            logFiles: logs.filter((name) => !name.endsWith(successMarker)).length,
            predictionFiles: predictions.filter((name) => name.endsWith(predictionFileSuffix)).length,
            rejectedRows: (await Promise.all(rejected.map((name) => this.#lines(name)))).reduce((sum, each) => sum + each, 0),
            databaseRows: await this.#rows("player_predictions"),
            loadedFiles: await this.#rows("prediction_loads"),
            cachedPlayers: (await this.cachedPlayers()).size,
            poison: Object.fromEntries(
                await Promise.all(Object.values(queues).map(async (queue) => [queue, await this.#messages(queue + poisonSuffix)] as const)),
            ),
        };
    }

    /** Ids of the players in the database. */
    async storedPlayers(): Promise<Set<string>> {
        if (!(await this.#tableExists("player_predictions"))) {
            return new Set();
        }
        const [rows] = await this.database.query<mysql.RowDataPacket[]>("SELECT player_id FROM player_predictions");
        return new Set(rows.map((row) => String(row.player_id)));
    }

    /** Ids of the players in Redis. */
    async cachedPlayers(): Promise<Set<string>> {
        const ids = new Set<string>();
        for await (const keys of this.redis.scanStream({ match: "p:*", count: 5_000 }) as AsyncIterable<string[]>) {
            keys.forEach((key) => ids.add(key.slice(2)));
        }
        return ids;
    }

    async close(): Promise<void> {
        this.redis.disconnect();
        await this.database.end();
    }

    async #names(container: string): Promise<string[]> {
        const names: string[] = [];
        for await (const { name } of this.lake.blobs.getContainerClient(container).listBlobsFlat()) {
            names.push(name);
        }
        return names;
    }

    async #lines(name: string): Promise<number> {
        const content = await this.lake.blobs.getContainerClient(containers.predictions).getBlobClient(name).downloadToBuffer();
        return content.toString().split("\n").filter(Boolean).length;
    }

    async #messages(queue: string): Promise<number> {
        return (await this.lake.queues.getQueueClient(queue).getProperties()).approximateMessagesCount ?? 0;
    }

    async #rows(table: string): Promise<number> {
        if (!(await this.#tableExists(table))) {
            return 0;
        }
        const [rows] = await this.database.query<mysql.RowDataPacket[]>("SELECT COUNT(*) AS n FROM ??", [table]);
        return Number(rows[0]?.n);
    }

    /** `load` makes its tables when it first runs. */
    async #tableExists(table: string): Promise<boolean> {
        const [rows] = await this.database.query<mysql.RowDataPacket[]>("SHOW TABLES LIKE ?", [table]);
        return rows.length > 0;
    }
}
