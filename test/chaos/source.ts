import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { AppSettings } from "../../functions/settings";
import { startMoto } from "../../local/parts/moto";
import { loopback } from "../../local/parts/ports";
import type { Workshop } from "../../local/parts/workshop";
import { TcpProxy } from "../functions/hot/tcp-proxy";

/** An object of the bucket. */
export interface SourceObject {
    readonly body: string;
    readonly contentType?: string;
    readonly contentEncoding?: string;
    readonly metadata?: Record<string, string>;
    /** Under a key of AWS KMS: S3 has no checksum of it then, and the lake's service reads it in blocks. */
    readonly encryption?: "aws:kms";
}

/** The game's bucket. */
export interface Source {
    readonly settings: Pick<
        AppSettings,
        "AWS_REGION" | "AWS_ROLE_ARN" | "AWS_TOKEN_AUDIENCE" | "STS_ENDPOINT" | "S3_ENDPOINT" | "SOURCE_BUCKET" | "SOURCE_PREFIX"
    >;
    /** Makes these, by their key, the objects of the bucket. */
    put(objects: Readonly<Record<string, SourceObject>>): Promise<void>;
    restart(meanwhile: () => Promise<void>): Promise<void>;
}

const bucket = "game-logs";
const region = "eu-west-1";

/** Starts S3 and STS behind a proxy that lets nobody in before the objects are there: moto forgets them with its process. */
export async function startSource(workshop: Workshop): Promise<Source> {
    let moto = await startMoto(workshop);
    let client = clientOf(moto.endpoint);
    const port = () => Number(new URL(moto.endpoint).port);
    const proxy = await TcpProxy.start({ host: loopback, port: port() });
    workshop.onStop(() => proxy.stop());
    let present: Readonly<Record<string, SourceObject>> = {};
    await client.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }));

    async function write(objects: Readonly<Record<string, SourceObject>>): Promise<void> {
        const writes = Object.entries(objects).map(([Key, { body, contentType, contentEncoding, metadata, encryption }]) =>
            client.send(
                new PutObjectCommand({
                    ...{ Bucket: bucket, Key, Body: Buffer.from(body) },
                    ...{ ContentType: contentType, ContentEncoding: contentEncoding, Metadata: metadata, ServerSideEncryption: encryption },
                }),
            ),
        );
        await Promise.all(writes);
    }

    return {
        settings: {
            AWS_REGION: region,
            AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/predictions",
            AWS_TOKEN_AUDIENCE: "api://predictions",
            STS_ENDPOINT: `https://${loopback}:${proxy.port}`,
            S3_ENDPOINT: `https://${loopback}:${proxy.port}`,
            SOURCE_BUCKET: bucket,
            SOURCE_PREFIX: "players/",
        },
        async put(objects) {
            const gone = Object.keys(present).filter((key) => !(key in objects));
            const changed = Object.entries(objects).filter(([key, object]) => JSON.stringify(object) !== JSON.stringify(present[key]));
            await Promise.all(gone.map((Key) => client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))));
            await write(Object.fromEntries(changed));
            present = objects;
        },
        async restart(meanwhile) {
            proxy.close();
            await moto.process.stop();
            await meanwhile();
            client.destroy();
            moto = await startMoto(workshop);
            client = clientOf(moto.endpoint);
            await client.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }));
            await write(present);
            proxy.lead({ host: loopback, port: port() });
            proxy.open();
        },
    };
}

function clientOf(endpoint: string): S3Client {
    return new S3Client({ region, endpoint, forcePathStyle: true, credentials: { accessKeyId: "admin", secretAccessKey: "admin" } });
}
