import { createAwsCredentials } from "../../functions/clients/aws-credentials";
import { createIdentityCredential } from "../../functions/clients/credentials";
import { createLake } from "../../functions/clients/lake";
import { createSourceBucket } from "../../functions/clients/source-bucket";
import { ingest } from "../../functions/ingest/ingest";
import { ContentMeter } from "./content-meter";
import type { IngestOrder, IngestReply } from "./ingest-protocol";
import { serveOrders } from "./serve-orders";

/** Copies as the timer does, in a process of its own, whose memory is then that of the copying alone. */
const env = (name: string): string => process.env[name] as string;
const settings = {
    AWS_REGION: "eu-west-1",
    AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/predictions",
    AWS_TOKEN_AUDIENCE: "api://predictions",
    STS_ENDPOINT: env("STS"),
    SOURCE_PREFIX: "",
};
const credential = createIdentityCredential({ AZURE_CLIENT_ID: env("CLIENT_ID") });
const awsCredentials = createAwsCredentials(settings, credential);
const meter = new ContentMeter();
const sampleEveryMs = 50;

serveOrders(async ({ bucket, lake: endpoint }: IngestOrder): Promise<IngestReply> => {
    const source = createSourceBucket({ ...settings, S3_ENDPOINT: bucket.s3, SOURCE_BUCKET: bucket.name }, awsCredentials);
    const lake = createLake({ Lake__blobServiceUri: endpoint }, credential);
    const rss: number[] = [];
    const sampling = setInterval(() => rss.push(process.memoryUsage.rss()), sampleEveryMs);
    const contentBefore = meter.bytes;
    const [startedAt, processorBefore] = [performance.now(), process.cpuUsage()];
    try {
        const summary = await ingest({ source, lake, now: () => new Date(), log: () => undefined, trace: () => undefined });
        if (summary === undefined) {
            throw new Error("another run is at work");
        }
        const { user, system } = process.cpuUsage(processorBefore);
        return { seconds: (performance.now() - startedAt) / 1_000, processorSeconds: (user + system) / 1e6, summary, rss, contentBytes: meter.bytes - contentBefore };
    } finally {
        clearInterval(sampling);
        source.close();
    }
});
