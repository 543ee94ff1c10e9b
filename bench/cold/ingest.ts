import { processorTime } from "../../local/parts/processes";
import { ensureSystemPackages } from "../../local/parts/system";
import { interleave, ratio, type Row, short, spread } from "../lib";
import { IngestParts, type ObjectSet } from "./ingest-parts";
import type { Bucket, IngestReply } from "./ingest-protocol";
import { type RcloneWay, rcloneWays } from "./rclone";
import type { Section } from "./section";

const mebibyte = 1024 * 1024;
const ways = Object.keys(rcloneWays) as RcloneWay[];

/** What rclone makes, beside the handlers' container of the logs. */
const rcloneContainer = "rclone";

/** From S3 to the lake: everything, nothing, and by the lake's own service. */
export const ingest: Section = async ({ quick }) => {
    const small: ObjectSet = { objects: quick ? 50 : 1_000, size: 10 * 1024 };
    const large: ObjectSet = { objects: quick ? 2 : 4, size: (quick ? 20 : 256) * mebibyte };
    const many: ObjectSet = { objects: quick ? 100 : 10_000, size: 100 };
    const runs = quick ? 1 : 3;
    await ensureSystemPackages(["rclone"]);
    const parts = await IngestParts.start();
    try {
        const buckets = { small: await parts.fill("small", small), large: await parts.fill("large", large), many: await parts.fill("many", many) };
        const instant = parts.fillInstantly("instant", small);
        const ofSmall = await everything(parts, buckets.small, small, runs, "S3 (moto)");
        const ofInstant = await everything(parts, instant, small, runs, "an S3 that answers at once");
        const ofLarge = await everything(parts, buckets.large, large, runs, "S3 (moto)");
        return [
            ...ofSmall.rows,
            ...ofInstant.rows,
            ...ofLarge.rows,
            flatness(ofLarge.replies),
            await byTheService(parts, [buckets.small, buckets.large]),
            ...(await nothingNew(parts, buckets.many, many, runs)),
        ] satisfies Row[];
    } finally {
        await parts.stop();
    }
};

/** All objects through the process into an empty container. */
async function everything(parts: IngestParts, bucket: Bucket, set: ObjectSet, runs: number, from: string): Promise<{ rows: Row[]; replies: readonly IngestReply[] }> {
    const contest = await compare(parts, runs, {
        handler: async () => {
            await parts.empty();
            const reply = await parts.ingest(bucket, "does not read");
            checkStreamed(reply, set);
            return reply;
        },
        rclone: async (way) => {
            await parts.empty(rcloneContainer);
            return parts.rclone(way, bucket, rcloneContainer);
        },
    });
    const work = `${described(set)}, ${from} to Azurite through the process, verified, times as fast`;
    return { rows: ways.map((way) => rowOf(`ingest-${bucket.name}`, work, contest, way, 1.3)), replies: contest.replies };
}

/** Whether memory grows with what has passed. */
function flatness(replies: readonly IngestReply[]): Row {
    const highest = (samples: readonly number[]): number => Math.max(...samples);
    const growth = replies.map(({ rss }) => highest(rss.slice(rss.length / 2)) / highest(rss.slice(0, Math.ceil(rss.length / 2))));
    return {
        id: "ingest-rss",
        work: "the same: highest RSS in the second half of the run",
        against: "in its first half",
        unit: "x",
        figure: spread(growth),
        goal: { op: "<=", value: 1.1 },
        note: `highest of all runs ${short(highest(replies.flatMap(({ rss }) => rss)) / mebibyte)} MiB`,
    };
}

/** By URL, through a front that reads from URLs as Blob Storage does. */
async function byTheService(parts: IngestParts, buckets: readonly Bucket[]): Promise<Row> {
    await parts.empty();
    const replies: IngestReply[] = [];
    for (const bucket of buckets) {
        replies.push(await parts.ingest(bucket, "reads"));
    }
    const sum = (of: (reply: IngestReply) => number): number => replies.reduce((total, reply) => total + of(reply), 0);
    const told = (of: (summary: IngestReply["summary"]) => number): string => short(sum(({ summary }) => of(summary)));
    const objects = `${told(({ ways: { url } }) => url)} objects by URL, ${told(({ ways: { stream } }) => stream)} through the process`;
    const verified = `${told(({ verified: { crc64 } }) => crc64)} compared by CRC, ${told(({ verified: { md5 } }) => md5)} by MD5`;
    return {
        id: "ingest-by-url",
        work: "the objects of moto, read by the lake's service: bytes of content through the process",
        unit: "bytes",
        figure: spread([sum(({ contentBytes }) => contentBytes)]),
        goal: { op: "=", value: 0 },
        note: `${objects}; ${told(({ bytes }) => bytes / mebibyte)} MiB; ${verified}; heads of requests and answers, listings and block lists do pass`,
    };
}

/** A second run, which finds everything there. */
async function nothingNew(parts: IngestParts, bucket: Bucket, set: ObjectSet, runs: number): Promise<Row[]> {
    await parts.empty();
    await parts.empty(rcloneContainer);
    await parts.ingest(bucket, "does not read");
    await parts.rclone("tuned", bucket, rcloneContainer);
    const contest = await compare(parts, runs, {
        handler: () => parts.ingest(bucket, "does not read"),
        rclone: (way) => parts.rclone(way, bucket, rcloneContainer),
    });
    const missed = contest.replies.find(({ summary }) => summary.skipped !== set.objects);
    if (missed !== undefined) {
        throw new Error(`a second run found ${missed.summary.skipped} of ${set.objects} objects there`);
    }
    const work = `second run, nothing new, ${set.objects.toLocaleString("en-US")} objects, times as fast`;
    // The other way is told beside: without its settings rclone asks S3 for each object's time.
    return [rowOf("ingest-again", work, contest, "default", 1.5), rowOf("ingest-again", work, contest, "tuned")];
}

/** What came of the runs of all contenders. */
interface Contest {
    /** Of each run, rclone's by the way that it was called. */
    readonly seconds: Readonly<Record<"handler" | RcloneWay, readonly number[]>>;
    readonly replies: readonly IngestReply[];
    /** Of the last of the handlers' runs. */
    readonly busy: string;
}

async function compare(
    parts: IngestParts,
    runs: number,
    { handler, rclone }: { readonly handler: () => Promise<IngestReply>; readonly rclone: (way: RcloneWay) => Promise<number> },
): Promise<Contest> {
    const replies: IngestReply[] = [];
    let busy = "";
    const seconds = await interleave(runs, {
        handler: async () => {
            const { result, shares } = await watched(parts, handler);
            replies.push(result);
            busy = `of a core meanwhile: the handler ${percent(result.processorSeconds / result.seconds)}, ${shares}`;
            return result.seconds;
        },
        default: () => rclone("default"),
        tuned: () => rclone("tuned"),
    });
    return { seconds, replies, busy };
}

function rowOf(id: string, work: string, { seconds, busy }: Contest, way: RcloneWay, goal?: number): Row {
    return {
        id: `${id}-${way}`,
        work,
        against: `rclone sync, ${way}`,
        unit: "x",
        figure: ratio(seconds[way], seconds.handler),
        ...(goal !== undefined && { goal: { op: ">=", value: goal } }),
        note: `${median(seconds.handler)} : ${median(seconds[way])}; ${busy}`,
    };
}

/** How busy the two servers are meanwhile, which tells whether one of them is the limit. */
async function watched<T>({ servers }: IngestParts, work: () => Promise<T>): Promise<{ readonly result: T; readonly shares: string }> {
    const before = Object.values(servers).map(processorTime);
    const startedAt = performance.now();
    const result = await work();
    const seconds = (performance.now() - startedAt) / 1_000;
    const shares = Object.entries(servers).map(([name, pid], i) => `${name} ${percent((processorTime(pid) - (before[i] as number)) / seconds)}`);
    return { result, shares: shares.join(", ") };
}

/** That every byte came in and went out once shows that the meter, which is to say 0 elsewhere, sees what passes. */
function checkStreamed({ summary, contentBytes }: IngestReply, { objects, size }: ObjectSet): void {
    if (summary.ways.stream !== objects || summary.verified.length > 0 || contentBytes !== 2 * objects * size) {
        throw new Error(`the run streamed ${contentBytes} bytes in ${JSON.stringify(summary.ways)}, verified ${JSON.stringify(summary.verified)}`);
    }
}

function described({ objects, size }: ObjectSet): string {
    const each = size < mebibyte ? `${size / 1024} KiB` : `${size / mebibyte} MiB`;
    return `${objects.toLocaleString("en-US")} objects of ${each}`;
}

function percent(share: number): string {
    return `${Math.round(100 * share)} %`;
}

function median(seconds: readonly number[]): string {
    return `${short(spread(seconds).median)} s`;
}
