import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import mysql, { type Connection } from "mysql2/promise";
import { fileColumns as columns } from "../../functions/load/columns";
import { type MariaDbPart, startMariaDb } from "../../local/parts/mariadb";
import { startRedis } from "../../local/parts/redis";
import { findBinary } from "../../local/parts/system";
import { type ColdParts, startColdParts } from "../../test/functions/cold/parts";
import { eventOf } from "../../test/functions/cold/events";
import type { LoadOrder, LoadReply } from "./load-protocol";
import { OwnProcess } from "./own-process";
import { writePredictions } from "./prediction-file";

/**
 * The database's server as RDS has it on an instance of 8 GiB: three quarters of the memory for the buffer pool, a redo log of 2 GiB
 * (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.MySQL.Parameters.html), every commit on disk.
 */
const asRds = ["--innodb-buffer-pool-size=6G", "--innodb-log-file-size=2G", "--innodb-flush-log-at-trx-commit=1"];

/** A file of predictions on disk, as the client takes it, and in the lake, as the handler does. */
export interface PredictionFile {
    readonly disk: string;
    /** The queue message of it. */
    readonly event: unknown;
}

/** The lake, the database, the cache and the process that loads. */
export class LoadParts {
    #files = 0;

    private constructor(
        private readonly cold: ColdParts,
        private readonly server: MariaDbPart,
        readonly connection: Connection,
        private readonly loader: OwnProcess<LoadOrder, LoadReply>,
    ) {}

    static async start(): Promise<LoadParts> {
        const cold = await startColdParts();
        try {
            const options = { database: "game", user: "predictions", password: "a password", serverOptions: asRds };
            const server = await startMariaDb(cold.workshop, options);
            const { host, port, user, password, database } = server;
            const connection = await mysql.createConnection({ host, port, user, password, database, ssl: {}, timezone: "Z" });
            const redis = await startRedis(cold.workshop);
            await redis.allowUser(cold.principalId);
            cold.identity.onIssue(({ token }) => redis.setPassword(cold.principalId, token));
            const loader = await OwnProcess.start<LoadOrder, LoadReply>(cold, "load-process", 512, {
                LAKE: cold.account.blobEndpoint,
                DATABASE_HOST: host,
                DATABASE_PORT: String(port),
                DATABASE_NAME: database,
                DATABASE_USER: user,
                DATABASE_PASSWORD: password,
                REDIS_HOST: redis.host,
                REDIS_PORT: String(redis.port),
                REDIS_USERNAME: cold.principalId,
            });
            return new LoadParts(cold, server, connection, loader);
        } catch (error) {
            await cold.stop();
            throw error;
        }
    }

    /** A file in which every player is newer than in the files before. */
    async file(players: number): Promise<PredictionFile> {
        this.#files += 1;
        const disk = path.join(this.cold.workshop.dir, "predictions.csv");
        await writePredictions(disk, players, this.#files);
        const name = `bench/${this.#files}.csv`;
        await this.cold.container("predictions").getBlockBlobClient(name).uploadFile(disk);
        const blob = await this.cold.lake.find("predictions", name);
        return { disk, event: eventOf("predictions", name, blob?.etag ?? "") };
    }

    /** Loads the file as the handler does. @param cached whether into Redis, too */
    async load({ event }: PredictionFile, { cached = false } = {}): Promise<LoadReply> {
        return this.loader.ask({ event, cached });
    }

    /** Loads the file by the command-line client, each row in place of the player's stored one. @returns seconds */
    async clientReplace({ disk }: PredictionFile): Promise<number> {
        const { host, port, user, password, database } = this.server;
        const fields = columns.map((column) => (column === "scored_at" || column === "inputs_fingerprint" ? `@${column}` : column));
        const statement =
            `LOAD DATA LOCAL INFILE '${disk}' REPLACE INTO TABLE player_predictions CHARACTER SET utf8mb4 ` +
            `FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' IGNORE 1 LINES (${fields.join(", ")}) SET scored_at = LEFT(@scored_at, 23)`;
        const args = ["--no-defaults", "--local-infile=1", `--host=${host}`, `--port=${port}`, `--user=${user}`];
        const tls = [`--ssl-ca=${this.cold.workshop.certificate.certFile}`, "--ssl-verify-server-cert"];
        const startedAt = performance.now();
        const child = spawn(findBinary("mariadb"), [...args, ...tls, database, `--execute=${statement}`], {
            env: { ...process.env, MYSQL_PWD: password },
            stdio: ["ignore", "ignore", "inherit"],
        });
        const [code] = (await once(child, "exit")) as [number | null];
        if (code !== 0) {
            throw new Error(`the client ended with ${code ?? "a signal"}`);
        }
        return (performance.now() - startedAt) / 1_000;
    }

    async stop(): Promise<void> {
        this.loader.stop();
        await this.connection.end();
        await this.cold.stop();
    }
}
