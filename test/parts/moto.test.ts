import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { beforeAll, expect, test } from "vitest";
import { startMoto } from "../../local/parts/moto";
import { ensurePython } from "../../local/parts/python";
import { temporaryWorkshop } from "./temporary";

// Where it is not there yet, making the environment takes longer than a test may.
beforeAll(ensurePython, 600_000);

test("serves S3 and STS over TLS", async () => {
    const { endpoint } = await startMoto(await temporaryWorkshop());
    const credentials = { accessKeyId: "any", secretAccessKey: "any" };
    const s3 = new S3Client({ endpoint, region: "ap-northeast-2", forcePathStyle: true, credentials });
    await s3.send(new CreateBucketCommand({ Bucket: "player-logs", CreateBucketConfiguration: { LocationConstraint: "ap-northeast-2" } }));
    await s3.send(new PutObjectCommand({ Bucket: "player-logs", Key: "players/dt=2026-01-01/part 0000+김.csv", Body: "idx\n" }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "player-logs", Key: "players/dt=2026-01-01/part 0000+김.csv" }));
    expect(await Body?.transformToString()).toBe("idx\n");

    const sts = new STSClient({ endpoint, region: "ap-northeast-2", credentials });
    const { Credentials } = await sts.send(
        new AssumeRoleWithWebIdentityCommand({
            RoleArn: "arn:aws:iam::123456789012:role/predictions",
            RoleSessionName: "test",
            WebIdentityToken: "token",
        }),
    );
    expect(Credentials?.SessionToken).toBeTruthy();
    await expect(fetch(endpoint.replace("https:", "http:"))).rejects.toThrow();
});
