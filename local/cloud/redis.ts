import { rmSync } from "node:fs";
import { z } from "zod";
import type { IdentityPart } from "../parts/identity";
import { redisDir, startRedis, type RedisPart } from "../parts/redis";
import type { Workshop } from "../parts/workshop";
import { leavingNothing } from "./leftovers";
import { armResource, LocalCloudError, type CloudService, type Identified, type Registration } from "./resource-type";

/** Resource of the tokens that Azure Managed Redis takes as passwords. */
const redisAudience = "https://redis.azure.com";

const inCluster = z.object({ clusterName: z.string() });
const assignmentInputs = inCluster.extend({ user: z.object({ objectId: z.string() }) });

/** Azure Managed Redis as a redis-server with TLS: an assigned principal is an ACL user, and each token issued to it a password. */
export class RedisService implements CloudService {
    readonly #clusters = new Map<string, RedisPart>();
    readonly #assigned = new Map<string, RedisPart>();

    constructor(
        private readonly workshop: Workshop,
        identity: IdentityPart,
    ) {
        identity.onIssue(async ({ principalId, audience, token }) => {
            if (audience.replace(/\/$/, "") === redisAudience) {
                await this.#assigned.get(principalId)?.setPassword(principalId, token);
            }
        });
    }

    readonly types = {
        "azure-native:redisenterprise:RedisEnterprise": {
            identify: armResource("Microsoft.Cache/redisEnterprise", "clusterName"),
            create: async (_registration: Registration, { name }: Identified) => {
                const part = this.#clusters.get(name) ?? (await this.#start(name));
                return { hostName: part.host };
            },
            remove: async (_registration: Registration, { name }: Identified) => {
                await this.#clusters.get(name)?.process.stop();
                rmSync(redisDir(this.workshop, { name }), { recursive: true, force: true });
            },
        },
        "azure-native:redisenterprise:Database": {
            identify: armResource("Microsoft.Cache/redisEnterprise/databases", "clusterName", "databaseName"),
            create: (registration: Registration) => ({ port: this.cluster(inCluster.parse(registration.inputs).clusterName).port }),
        },
        "azure-native:redisenterprise:AccessPolicyAssignment": {
            identify: armResource(
                "Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments",
                "clusterName",
                "databaseName",
                "accessPolicyAssignmentName",
            ),
            create: async (registration: Registration) => {
                const { clusterName, user } = assignmentInputs.parse(registration.inputs);
                const part = this.cluster(clusterName);
                await part.allowUser(user.objectId);
                this.#assigned.set(user.objectId, part);
                return {};
            },
            restore: (registration: Registration) => {
                const { clusterName, user } = assignmentInputs.parse(registration.inputs);
                this.#assigned.set(user.objectId, this.cluster(clusterName));
                return {};
            },
            read: async (registration: Registration) => {
                const { clusterName, user } = assignmentInputs.parse(registration.inputs);
                return (await this.cluster(clusterName).hasUser(user.objectId)) ? {} : undefined;
            },
            remove: async (registration: Registration) => {
                const { clusterName, user } = assignmentInputs.parse(registration.inputs);
                this.#assigned.delete(user.objectId);
                await this.#clusters.get(clusterName)?.removeUser(user.objectId);
            },
        },
    };

    async #start(name: string): Promise<RedisPart> {
        const part = await leavingNothing(redisDir(this.workshop, { name }), () => startRedis(this.workshop, { name }));
        this.#clusters.set(name, part);
        void part.process.exited.then(() => this.#clusters.delete(name));
        return part;
    }

    /** The one cluster that the program makes. @throws LocalCloudError when it made another number of them */
    only(): RedisPart {
        const [cluster, ...others] = this.#clusters.values();
        if (cluster === undefined || others.length > 0) {
            throw new LocalCloudError(`the program made ${this.#clusters.size} Redis clusters; expected one`);
        }
        return cluster;
    }

    /** @throws LocalCloudError when there is no such cluster */
    cluster(name: string): RedisPart {
        const part = this.#clusters.get(name);
        if (part === undefined) {
            throw new LocalCloudError(`there is no Redis cluster ${name}`);
        }
        return part;
    }
}
