import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, type PutObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { createAwsCredentials } from "../../../functions/clients/aws-credentials";
import { createLake, type Lake } from "../../../functions/clients/lake";
import { createSourceBucket, type SourceBucket } from "../../../functions/clients/source-bucket";
import { crc64, toS3Crc64 } from "../../../functions/crc64";
import { inParallel } from "../../../functions/in-parallel";
import { ingest, type IngestParts } from "../../../functions/ingest/ingest";
import type { IngestSummary } from "../../../functions/ingest/summary";
import { startMoto } from "../../../local/parts/moto";
import { type ColdParts, startColdParts } from "./parts";
import { startReadingLake } from "./reading-lake";
import { type S3Front, startS3Front } from "./s3-front";

export const audience = "api://7d6c5b4a-3f2e-4d1c-8b0a-9f8e7d6c5b4a";
export const mebibyte = 1024 * 1024;

/** A run's end: what it told, and the error that it ended with. */
export interface Ran {
    readonly summary: IngestSummary;
    readonly failure: unknown;
    /** Its lines, parsed. */
    readonly lines: readonly (Record<string, unknown> & { readonly event: string })[];
}

/** S3, a lake, and `ingest` between them. */
export interface IngestWorld {
    readonly parts: ColdParts;
    readonly s3: S3Client;
    readonly front: S3Front;
    /** The lake by a service that reads from URLs, as Azure's does and Azurite's does not. */
    readonly readingLake: Lake;
    readonly bucket: string;
    /** The bucket as the handlers reach it. */
    readonly source: SourceBucket;
    /** A new bucket with these objects; below `players/` is what is copied. */
    fill(objects: Readonly<Record<string, string | Buffer>>): Promise<void>;
    put(objects: Readonly<Record<string, string | Buffer>>): Promise<void>;
    /** Puts an object whose CRC-64 S3 knows. */
    putWithCrc(key: string, content: Buffer, more?: Partial<PutObjectCommandInput>): Promise<void>;
    remove(key: string): Promise<void>;
    /** The bucket under other terms. */
    sourceWith(options: { readonly credentials?: Parameters<typeof createSourceBucket>[1]; readonly idleMs?: number; readonly prefix?: string }): SourceBucket;
    run(given?: Partial<IngestParts>): Promise<Ran>;
    stop(): Promise<void>;
}

export async function startIngestWorld(): Promise<IngestWorld> {
    const parts = await startColdParts();
    const { workshop, credential } = parts;
    const moto = await startMoto(workshop);
    const front = await startS3Front(moto.endpoint, workshop.certificate.cert);
    workshop.onStop(() => front.stop());
    const readingEndpoint = await startReadingLake(parts);
    const s3 = new S3Client({ endpoint: moto.endpoint, region: "eu-west-1", credentials: { accessKeyId: "studio", secretAccessKey: "studio" } });
    let buckets = 0;
    let bucket = "";
    let source: SourceBucket;

    const world: IngestWorld = {
        parts,
        s3,
        front,
        readingLake: createLake({ Lake__blobServiceUri: readingEndpoint }, credential),
        get bucket() {
            return bucket;
        },
        get source() {
            return source;
        },
        async fill(objects) {
            buckets += 1;
            bucket = `logs-${buckets}`;
            await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
            await world.put(objects);
            source = world.sourceWith({});
        },
        async put(objects) {
            await inParallel(Object.entries(objects), 8, async ([Key, content]) => {
                await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.from(content) }));
            });
        },
        async putWithCrc(key, content, more) {
            const checksum = toS3Crc64(await crc64(content));
            await s3.send(
                new PutObjectCommand({ Bucket: bucket, Key: key, Body: content, ChecksumAlgorithm: "CRC64NVME", ChecksumCRC64NVME: checksum, ...more }),
            );
        },
        async remove(key) {
            await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
        },
        sourceWith({ credentials, idleMs, prefix = "players/" }) {
            const settings = {
                AWS_REGION: "eu-west-1",
                AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/predictions",
                AWS_TOKEN_AUDIENCE: audience,
                STS_ENDPOINT: moto.endpoint,
                S3_ENDPOINT: front.endpoint,
                SOURCE_BUCKET: bucket,
                SOURCE_PREFIX: prefix,
            };
            return createSourceBucket(settings, credentials ?? createAwsCredentials(settings, credential), idleMs);
        },
        async run(given = {}) {
            const lines: string[] = [];
            const log = (line: string) => void lines.push(line);
            const whole: IngestParts = { source, lake: parts.lake, now: () => new Date(), log, trace: log, ...given };
            const failure: unknown = await ingest(whole).then(
                () => undefined,
                (error: unknown) => error,
            );
            const parsed = lines.map((line) => JSON.parse(line) as Ran["lines"][number]);
            return { summary: parsed.find(({ event }) => event === "ingest:summary") as unknown as IngestSummary, failure, lines: parsed };
        },
        async stop() {
            s3.destroy();
            await parts.stop();
        },
    };
    return world;
}
