import * as redisenterprise from "@pulumi/azure-native/redisenterprise";
import * as pulumi from "@pulumi/pulumi";
import { connectPrivately } from "../network/private-link";
import type { PartArgs } from "../part";

export interface CacheArgs extends PartArgs {
    /** Size, such as `Balanced_B0`. */
    readonly sku: pulumi.Input<string>;
    /** Whether there is a replica. Cannot be switched off later. */
    readonly highAvailability: boolean;
    /** Object id of the identity that reads and writes: its user name as well. */
    readonly principalId: pulumi.Input<string>;
}

/** Azure Managed Redis for one identity, without access keys. Not sharded, so that plain clients and commands on many keys work. */
export class Cache extends pulumi.ComponentResource {
    readonly hostName: pulumi.Output<string>;
    readonly port: pulumi.Output<number>;

    constructor(name: string, args: CacheArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:cache:Cache", name, {}, opts);
        const { resourceGroupName, tags, protectData: protect, privateLink } = args;

        const cluster = new redisenterprise.RedisEnterprise(
            `${name}-cluster`,
            {
                resourceGroupName,
                sku: { name: args.sku },
                highAvailability: args.highAvailability ? "Enabled" : "Disabled",
                minimumTlsVersion: "1.2",
                publicNetworkAccess: privateLink ? "Disabled" : "Enabled",
                tags,
            },
            { parent: this, protect },
        );
        const database = new redisenterprise.Database(
            `${name}-database`,
            {
                resourceGroupName,
                clusterName: cluster.name,
                databaseName: "default",
                clientProtocol: "Encrypted",
                port: 10_000,
                clusteringPolicy: "NoCluster",
                evictionPolicy: "VolatileLRU",
                // At creation: switching it later drops every connection.
                accessKeysAuthentication: "Disabled",
            },
            { parent: this, protect },
        );
        new redisenterprise.AccessPolicyAssignment(
            `${name}-access`,
            {
                resourceGroupName,
                clusterName: cluster.name,
                databaseName: database.name,
                // Letters and digits only: others are refused later (https://github.com/Azure/azure-cli/issues/33568).
                accessPolicyAssignmentName: "handlers",
                accessPolicyName: "default",
                user: { objectId: args.principalId },
            },
            { parent: this },
        );

        connectPrivately(name, { resourceGroupName, tags, privateLink, resourceId: cluster.id, services: ["redis"] }, { parent: this });

        this.hostName = cluster.hostName;
        this.port = database.port.apply((port) => port ?? 10_000);
        this.registerOutputs({ hostName: this.hostName, port: this.port });
    }
}
