import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity";
import { getPartitionOutput } from "@pulumi/aws/getPartition";
import { getServiceOutput } from "@pulumi/aws/getService";
import { getInstanceOutput } from "@pulumi/aws/rds/getInstance";
import { getBucketOutput } from "@pulumi/aws/s3/getBucket";
import * as pulumi from "@pulumi/pulumi";

export interface StudioArgs {
    readonly region: string;
    readonly bucket: string;
    /** Identifier of the RDS instance. */
    readonly databaseInstance: string;
    readonly databaseUser: string;
}

/** The studio's systems on AWS, which are there before the program: looked up, so that a wrong name fails the preview. */
export interface Studio {
    readonly bucketArn: pulumi.Output<string>;
    readonly s3Endpoint: pulumi.Output<string>;
    readonly stsEndpoint: pulumi.Output<string>;
    readonly databaseHost: pulumi.Output<string>;
    readonly databasePort: pulumi.Output<number>;
    /** Ids of the security groups of the database. */
    readonly databaseSecurityGroups: pulumi.Output<string[]>;
    /** What `rds-db:connect` is allowed on. */
    readonly databaseUserArn: pulumi.Output<string>;
}

export function lookUpStudio({ region, bucket, databaseInstance, databaseUser }: StudioArgs): Studio {
    const endpoint = (serviceId: string) => getServiceOutput({ region, serviceId }).dnsName.apply((dnsName) => `https://${dnsName}`);
    const database = getInstanceOutput({ dbInstanceIdentifier: databaseInstance });
    const { accountId } = getCallerIdentityOutput();
    const { partition } = getPartitionOutput();
    return {
        bucketArn: getBucketOutput({ bucket }).arn,
        s3Endpoint: endpoint("s3"),
        stsEndpoint: endpoint("sts"),
        databaseHost: database.address,
        databasePort: database.port,
        databaseSecurityGroups: database.vpcSecurityGroups,
        // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
        databaseUserArn: pulumi.interpolate`arn:${partition}:rds-db:${region}:${accountId}:dbuser:${database.resourceId}/${databaseUser}`,
    };
}
