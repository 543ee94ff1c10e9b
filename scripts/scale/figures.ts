/** A number that the rules take, with its unit and where it is from. */
export interface Figure {
    readonly value: number;
    readonly unit: string;
    readonly source: string;
}

const benchCold = "`npm run bench:cold`";
const benchHot = "`npm run bench:hot`";

/** Measured by the project on two cores. */
export const measured = {
    logBytes: { value: 64.6, unit: "bytes of CSV a player", source: "32,561 real players, 2026-11-26" },
    predictionBytes: { value: 102.3, unit: "bytes of predictions a player", source: `the files of ${benchCold}, 200,000 players, 2026-11-26` },
    databaseBytes: { value: 81.5, unit: "bytes of `player_predictions` a player", source: "`data_length` after a load of 200,000 players, 2026-11-26" },
    redisBytes: { value: 161, unit: "bytes of Redis a player", source: `${benchHot}, 1,000,000 players, 2026-11-26` },
    streamedMebibytes: {
        value: 179,
        unit: "MiB a second of a core, copied through the process",
        source: `section \`ingest\` of ${benchCold}: 1,024 MiB took 28 % of a core for 20.4 s, 2026-11-26`,
    },
    streamedObjects: {
        value: 410,
        unit: "small objects a second of a core, copied through the process",
        source: `the same: 1,000 objects of 10 KiB took 60 % of a core for 4.07 s`,
    },
    scoredPlayers: { value: 51_400, unit: "players a second of a core, scored", source: `section \`batch\` of ${benchCold}: 1,000,000 in 9.72 s on two cores, 2026-11-26` },
    loadedPlayers: {
        value: 64_300,
        unit: "players a second into one database",
        source: `section \`load\` of ${benchCold}: 1,000,000 in 15.5 s with the heap of an instance of 512 MB, 2026-11-26`,
    },
    cachedPlayers: { value: 135_000, unit: "players a second into Redis, after the commit", source: "the same: 1,000,000 in 7.4 s" },
    requests: {
        value: 15_480,
        unit: "requests a second of a core",
        source: `${benchHot}: 30,959 a second on two cores, with Redis and the load beside it, 2026-11-26`,
    },
    modelPlayers: { value: 4_460, unit: "players a second of a worker of the model, one a call", source: "`npm run bench:models`: 0.224 ms in `score.py`, 2026-11-26" },
} as const satisfies Record<string, Figure>;

/** What a game does, which nobody but its studio knows. */
export const assumed = {
    playersPerObject: { value: 100_000, unit: "players an object", source: "the studio's export" },
    requestsPerPlayer: { value: 10, unit: "requests a player and day", source: "the game's backend" },
    peakHour: { value: 0.1, unit: "of a day's requests in its busiest hour", source: "an evening's peak" },
    misses: { value: 0.01, unit: "of the requests miss, in the busiest hour", source: "players who are new since the batch" },
    busy: { value: 0.5, unit: "of an instance's time used in the busiest hour", source: "room for what comes at once" },
    nodeStart: { value: 600, unit: "seconds until a batch node works", source: "not measured" },
    window: { value: 3 * 3_600, unit: "seconds from the first copy to the last row", source: "the night" },
    databaseMemory: { value: 8, unit: "GiB of memory of the database's instance", source: "such as db.m6g.large" },
    written: { value: 3, unit: "bytes written for a byte of a row", source: "redo log, doublewrite buffer and table of InnoDB" },
} as const satisfies Record<string, Figure>;

/** Limits of the services. */
export const limits = {
    redisUsable: { value: 0.8, unit: "of the memory of a size of Azure Managed Redis for data", source: "https://learn.microsoft.com/azure/redis/plan-tiers-and-capacity" },
    bufferPool: { value: 0.75, unit: "of the database's memory for its buffer pool", source: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.MySQL.Parameters.html" },
    connectionBytes: {
        value: 12_582_880,
        unit: "bytes of memory for each connection that RDS for MySQL allows",
        source: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections",
    },
    databaseWrite: { value: 125, unit: "MiB a second of a gp3 volume below 400 GiB", source: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html" },
    regionCores: { value: 250, unit: "cores of Flex Consumption a subscription and region", source: "https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan" },
    lakeRequests: { value: 20_000, unit: "requests a second of a storage account", source: "https://learn.microsoft.com/azure/storage/common/scalability-targets-standard-account" },
} as const satisfies Record<string, Figure>;

/** GB of the sizes that are not sharded, which 25 GB is the end of: https://learn.microsoft.com/azure/redis/plan-tiers-and-capacity */
export const redisSizes: Readonly<Record<string, number>> = {
    Balanced_B0: 0.5,
    Balanced_B1: 1,
    Balanced_B3: 3,
    Balanced_B5: 6,
    Balanced_B10: 12,
    Balanced_B20: 24,
};

/** Cores of an instance by its memory in MB: https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#instance-sizes */
export const instanceCores: Readonly<Record<string, number>> = { "512": 0.25, "2048": 1, "4096": 2 };
