import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AccountSASPermissions, BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { randomFillSync } from "node:crypto";
import { containers } from "../../functions/contracts";
import { crc64, toS3Crc64 } from "../../functions/crc64";
import { inParallel } from "../../functions/in-parallel";
import { type MotoPart, startMoto } from "../../local/parts/moto";
import { type ColdParts, startColdParts } from "../../test/functions/cold/parts";
import { startReadingLake } from "../../test/functions/cold/reading-lake";
import { manyObjects, type S3Front, startS3Front } from "../../test/functions/cold/s3-front";
import type { Bucket, IngestOrder, IngestReply } from "./ingest-protocol";
import { OwnProcess } from "./own-process";
import { type RcloneWay, rcloneSync } from "./rclone";

/** Objects of one size. */
export interface ObjectSet {
    readonly objects: number;
    /** Bytes each. */
    readonly size: number;
}

/** As days of logs lie: this many folders in a bucket. */
const folders = 10;

/** S3, the lake with and without a service that reads from URLs, and the process that copies. */
export class IngestParts {
    private constructor(
        private readonly cold: ColdParts,
        private readonly moto: MotoPart,
        private readonly s3: S3Client,
        private readonly instant: S3Front,
        private readonly readingLake: string,
        private readonly sasUrl: string,
        private readonly copier: OwnProcess<IngestOrder, IngestReply>,
    ) {}

    static async start(): Promise<IngestParts> {
        const cold = await startColdParts();
        try {
            const { workshop, account } = cold;
            const moto = await startMoto(workshop, { tls: false });
            const readingLake = await startReadingLake(cold);
            const instant = await startS3Front(moto.endpoint, workshop.certificate.cert);
            workshop.onStop(() => instant.stop());
            const s3 = new S3Client({ endpoint: moto.endpoint, region: "eu-west-1", credentials: { accessKeyId: "studio", secretAccessKey: "studio" } });
            const owner = new BlobServiceClient(account.blobEndpoint, new StorageSharedKeyCredential(account.account, account.key));
            const sasUrl = owner.generateAccountSasUrl(new Date(Date.now() + 86_400_000), AccountSASPermissions.parse("rwdlac"), "sco");
            const copier = await OwnProcess.start<IngestOrder, IngestReply>(cold, "ingest-process", 2048, { STS: moto.endpoint });
            return new IngestParts(cold, moto, s3, instant, readingLake, sasUrl, copier);
        } catch (error) {
            await cold.stop();
            throw error;
        }
    }

    /** A bucket with objects whose CRC-64 S3 knows, as it knows that of what it is sent without a checksum. */
    async fill(name: string, { objects, size }: ObjectSet): Promise<Bucket> {
        await this.s3.send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
        const content = randomFillSync(Buffer.alloc(size));
        const checksum = { ChecksumAlgorithm: "CRC64NVME", ChecksumCRC64NVME: toS3Crc64(await crc64(content)) } as const;
        await inParallel([...Array(objects).keys()], size > 1_000_000 ? 1 : 16, async (index) => {
            const Key = `dt=${index % folders}/part-${String(index).padStart(6, "0")}.csv`;
            await this.s3.send(new PutObjectCommand({ Bucket: name, Key, Body: content, ...checksum }));
        });
        return { name, s3: this.moto.endpoint };
    }

    /** A bucket that a server of this process tells and gives, at no cost: S3 is then no limit to anybody. S3 knows the MD5 of its objects. */
    fillInstantly(name: string, { objects, size }: ObjectSet): Bucket {
        const keys = Array.from({ length: objects }, (_, index) => `part-${String(index).padStart(6, "0")}.csv`);
        this.instant.intercept = manyObjects(keys, "x".repeat(size));
        return { name, s3: this.instant.endpoint };
    }

    /** Copies as the timer does. @param service whether the lake's service reads from URLs by itself */
    async ingest(bucket: Bucket, service: "reads" | "does not read"): Promise<IngestReply> {
        return this.copier.ask({ bucket, lake: service === "reads" ? this.readingLake : this.cold.account.blobEndpoint });
    }

    async rclone(way: RcloneWay, bucket: Bucket, container: string): Promise<number> {
        return rcloneSync({ sasUrl: this.sasUrl, certFile: this.cold.workshop.certificate.certFile }, way, bucket, container);
    }

    /** An empty container of that name. */
    async empty(container: string = containers.logs): Promise<void> {
        const client = this.cold.container(container);
        await client.deleteIfExists();
        await client.create();
    }

    /** The two servers' processes, to see which of them is at its limit. */
    get servers(): Readonly<Record<"moto" | "Azurite", number>> {
        return { moto: this.moto.process.pid, Azurite: this.cold.account.process.pid };
    }

    async stop(): Promise<void> {
        this.copier.stop();
        this.s3.destroy();
        await this.cold.stop();
    }
}
