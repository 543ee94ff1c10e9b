import host from "../../functions/host.json";
import type { profiles } from "../../infra/settings";
import { assumed, instanceCores, limits, measured, redisSizes } from "./figures";

/** What a stack is set to, as a profile has it. */
export type Profile = (typeof profiles)[keyof typeof profiles];

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

const { batchSize, newBatchThreshold } = host.extensions.queues;
/** Files that an instance loads at a time: https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#host-json */
const loadsPerInstance = batchSize + newBatchThreshold;
/** Requests to the lake for an object: its properties, its content, its share of listings and markers. */
const lakeRequestsPerObject = 3;

/** What so many players a day ask for. */
export interface Demand {
    readonly players: number;
    readonly objects: number;
    /** Bytes of logs. */
    readonly logBytes: number;
    /** Bytes of files of predictions. */
    readonly predictionBytes: number;
    /** Seconds of one copy of everything through the process; by URL it is the service that copies, and no byte passes. */
    readonly copySeconds: number;
    readonly batchNodes: number;
    /** Seconds from the start of the first node to the last file. */
    readonly batchSeconds: number;
    readonly nodeHours: number;
    readonly loadSeconds: number;
    /** Seconds from the last commit until Redis has the last file, too: of the others it is done beside the next one's merge. */
    readonly cacheSeconds: number;
    readonly redisBytes: number;
    /** Smallest size that holds them; undefined where none that is not sharded does. */
    readonly redisSku: string | undefined;
    readonly databaseBytes: number;
    /** Bytes a second that the database writes during a load. */
    readonly databaseWrite: number;
    readonly loadInstances: number;
    readonly connections: number;
    /** Requests a second in the busiest hour. */
    readonly requests: number;
    readonly httpInstances: number;
    /** Players a second that the model is asked for in the busiest hour. */
    readonly misses: number;
}

/** @param players of a day, every one with a row in the logs */
export function demandOf(players: number, profile: Profile): Demand {
    const cores = coresOf(profile);
    const objects = Math.ceil(players / assumed.playersPerObject.value);
    const logBytes = players * measured.logBytes.value;
    const workers = Number(profile.batchWorkersPerNode);
    const batchNodes = Math.min(Number(profile.batchMaxNodes), Math.ceil(objects / workers));
    const rounds = Math.ceil(objects / (batchNodes * workers));
    const objectSeconds = Math.min(players, assumed.playersPerObject.value) / measured.scoredPlayers.value;
    const batchSeconds = assumed.nodeStart.value + rounds * objectSeconds;
    const redisBytes = players * measured.redisBytes.value;
    const loadInstances = Math.min(Number(profile.functionMaxInstances), Math.ceil(objects / loadsPerInstance));
    const requests = (players * assumed.requestsPerPlayer.value * assumed.peakHour.value) / 3_600;
    return {
        players,
        objects,
        logBytes,
        predictionBytes: players * measured.predictionBytes.value,
        copySeconds: (logBytes / mebibyte / measured.streamedMebibytes.value + objects / measured.streamedObjects.value) / cores,
        batchNodes,
        batchSeconds,
        nodeHours: (batchNodes * batchSeconds) / 3_600,
        loadSeconds: players / measured.loadedPlayers.value,
        cacheSeconds: Math.min(players, assumed.playersPerObject.value) / measured.cachedPlayers.value,
        redisBytes,
        redisSku: Object.keys(redisSizes).find((sku) => usableBytes(sku) >= redisBytes),
        databaseBytes: players * measured.databaseBytes.value,
        databaseWrite: measured.loadedPlayers.value * measured.databaseBytes.value * assumed.written.value,
        loadInstances,
        connections: Math.min(objects, loadInstances * loadsPerInstance),
        requests,
        httpInstances: Math.ceil(requests / (measured.requests.value * cores * assumed.busy.value)),
        misses: requests * assumed.misses.value,
    };
}

function coresOf({ functionMemoryMb }: Profile): number {
    return instanceCores[functionMemoryMb] as number;
}

/** Bytes of data that a size of Redis holds. */
export function usableBytes(sku: string): number {
    return (redisSizes[sku] as number) * 1e9 * limits.redisUsable.value;
}

/** Something that has an end. */
export interface Bound {
    readonly what: string;
    /** What moves it: a setting of the stack, or what else it takes. */
    readonly moves: string;
    readonly need: (demand: Demand) => number;
    readonly limit: number;
}

/** A setting of the stack by its name, which the compiler knows. */
function setting(name: keyof Profile): string {
    return `\`${name}\``;
}

/** Everything that may break first, as the profile has it. */
export function boundsOf(profile: Profile): Bound[] {
    const cores = coresOf(profile);
    const databaseMemory = assumed.databaseMemory.value * gibibyte;
    const [hours = 0, minutes = 0, seconds = 0] = host.functionTimeout.split(":").map(Number);
    return [
        { what: `memory of Redis, ${profile.redisSku}`, moves: setting("redisSku"), need: ({ redisBytes }) => redisBytes, limit: usableBytes(profile.redisSku) },
        {
            what: "the table in the database's memory, beyond which a load is slower than measured",
            moves: "the class of the studio's instance",
            need: ({ databaseBytes }) => databaseBytes,
            limit: databaseMemory * limits.bufferPool.value,
        },
        {
            what: "connections of the database",
            moves: `${setting("functionMaxInstances")} down, fewer and larger objects, or the class of the instance`,
            need: ({ connections }) => connections,
            limit: Math.floor(databaseMemory / limits.connectionBytes.value),
        },
        {
            what: "writes of the database",
            moves: "the volume of the studio's instance",
            need: ({ databaseWrite }) => databaseWrite,
            limit: limits.databaseWrite.value * mebibyte,
        },
        {
            what: "instances for HTTP",
            moves: `${setting("functionMaxInstances")}, ${setting("functionMemoryMb")}`,
            need: ({ httpInstances }) => httpInstances,
            limit: Number(profile.functionMaxInstances),
        },
        {
            what: "cores of the region, with loads and requests at once",
            moves: "a larger quota of the subscription",
            need: ({ httpInstances, loadInstances }) => (httpInstances + loadInstances) * cores,
            limit: limits.regionCores.value,
        },
        {
            what: "time of a run of `ingest`, all through the process; the next run goes on from there",
            moves: `${setting("functionMemoryMb")}, or \`functionTimeout\` in functions/host.json`,
            need: ({ copySeconds }) => copySeconds,
            limit: hours * 3_600 + minutes * 60 + seconds,
        },
        {
            what: "the night for copy, batch and load",
            moves: `${setting("batchMaxNodes")}, ${setting("batchVmSize")}, the class of the studio's instance`,
            need: ({ copySeconds, batchSeconds, loadSeconds, cacheSeconds }) => copySeconds + batchSeconds + loadSeconds + cacheSeconds,
            limit: assumed.window.value,
        },
        {
            what: "players that the model is asked for",
            moves: `${setting("onlineInstanceCount")}, ${setting("onlineInstanceType")}`,
            need: ({ misses }) => misses,
            limit: Number(profile.onlineInstanceCount) * Number(profile.onlineMaxConcurrentRequests) * measured.modelPlayers.value,
        },
        {
            what: "requests to the lake's account",
            moves: "a larger quota of the account",
            need: ({ objects, copySeconds }) => (objects * lakeRequestsPerObject) / copySeconds,
            limit: limits.lakeRequests.value,
        },
    ];
}

/** Share of a bound that is used. */
export function use({ need, limit }: Bound, demand: Demand): number {
    return need(demand) / limit;
}

const mostPlayers = 1e10;

/** Players a day at which the bound is reached, to a thousandth; undefined where more than there are people do not reach it. */
export function reachedAt(bound: Bound, profile: Profile): number | undefined {
    const within = (players: number): boolean => use(bound, demandOf(players, profile)) <= 1;
    if (within(mostPlayers)) {
        return undefined;
    }
    let [low, high] = [1, mostPlayers];
    while (high / low > 1.001) {
        const middle = Math.sqrt(low * high);
        [low, high] = within(middle) ? [middle, high] : [low, middle];
    }
    return low;
}

/** The bound of which most is used: the first to break as players become more. */
export function firstToBreak(players: number, profile: Profile): { readonly bound: Bound; readonly use: number } {
    const demand = demandOf(players, profile);
    const uses = boundsOf(profile).map((bound) => ({ bound, use: use(bound, demand) }));
    return uses.reduce((most, each) => (each.use > most.use ? each : most));
}
