import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startMariaDb, type MariaDbPart } from "../parts/mariadb";
import { startMoto } from "../parts/moto";
import type { Workshop } from "../parts/workshop";

/** The game studio's own systems, which are there before the program: the bucket of player logs and the game's database. */
export interface Studio {
    /** Endpoint of S3 (moto), which serves STS as well. */
    readonly s3Endpoint: string;
    readonly bucket: string;
    /** The studio's own access, not the handlers'. */
    readonly s3: S3Client;
    readonly database: MariaDbPart;
}

export interface StudioOptions {
    readonly bucket: string;
    readonly region: string;
    readonly databaseName: string;
    readonly databaseUser: string;
    readonly databasePassword: string;
}

/** Starts the studio: moto for AWS, MariaDB for RDS. */
export async function startStudio(workshop: Workshop, options: StudioOptions): Promise<Studio> {
    const [moto, database] = await Promise.all([
        startMoto(workshop),
        startMariaDb(workshop, { database: options.databaseName, user: options.databaseUser, password: options.databasePassword }),
    ]);
    const s3 = new S3Client({
        endpoint: moto.endpoint,
        region: options.region,
        credentials: { accessKeyId: "studio", secretAccessKey: "studio" },
    });
    // moto takes no location constraint of its own region, and refuses a bucket elsewhere without one.
    await s3.send(
        new CreateBucketCommand({
            Bucket: options.bucket,
            ...(options.region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: options.region as "eu-west-1" } }),
        }),
    );
    workshop.onStop(() => Promise.resolve(s3.destroy()));
    return { s3Endpoint: moto.endpoint, bucket: options.bucket, s3, database };
}
